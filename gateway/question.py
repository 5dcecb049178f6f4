"""What is asked: the identity of a question, and everything that the registry knows about a request."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from pydantic import ValidationError

from contracts.agreement import Activity
from contracts.canonical import canonical_bytes, digest_of, digest_of_bytes
from contracts.dataset import ContractRef, DatasetContract
from contracts.errors import InvalidInput
from contracts.fit import check_question, closed_until
from contracts.grid import Grid
from contracts.lifecycle import AgreementState
from contracts.query import Query
from contracts.question_form import question_form
from contracts.remembered import Memory
from contracts.request import Request
from contracts.task import Charge, Forwarded
from gateway.store import registry, relay, releases, series
from gateway.store.engine import Reading, Transaction
from gateway.store.registry import HeldAgreement
from gateway.store.releases import Standing
from privacy import series as privacy_series
from privacy.plan import plan

BANGKOK = timedelta(hours=7)
SMALL: Final = 2**14
"""The longest text of a request that is kept parsed, in characters: few are longer, and memory is bounded."""

_keys: Final = Memory[str](256)
_grids: Final = Memory[Grid](256)
_texts: Final = Memory[str](256)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request beside the registry: its contracts in their order, its agreement and activity, the answer's cells."""

    request: Request
    digest: str
    contracts: tuple[DatasetContract, ...]
    agreement: HeldAgreement
    activity: Activity
    grid: Grid

    @property
    def question(self) -> str:
        """The key of the question."""
        request, apart = self.request, approved_apart(self.agreement, self.activity)
        beside = (request.nano_rho, *sorted(apart.items()))

        def key() -> str:
            return question_key(request.query, self.contracts, request.nano_rho, apart)

        return _keys.of((request.query, *self.contracts), beside, key)

    @property
    def price(self) -> tuple[Charge, ...]:
        """What it costs, unless it is of a series that has paid for some of its windows; see ``owed``."""
        return plan(self.request.query, self.contracts, self.request.nano_rho).charges

    @property
    def series(self) -> str | None:
        """The key of its standing series; none when it stands alone."""
        apart = approved_apart(self.agreement, self.activity)
        return series_of(self.request.query, self.contracts, self.request.nano_rho, apart)


def question_key(query: Query, contracts: Sequence[DatasetContract], nano_rho: int, apart: Mapping[str, str]) -> str:
    """Two requests with one key ask the same: query, contracts and price, whoever asks and under which agreement.

    What is the same in other words has one key, too; see ``contracts.question_form``. What ``apart`` says keeps a
    question from all others; see ``approved_apart``.
    """
    return digest_of(
        {
            "query": question_form(query, contracts),
            "contracts": sorted(contract.digest for contract in contracts),
            "nano_rho": nano_rho,
            **apart,
        }
    )


def approved_apart(held: HeldAgreement, activity: Activity) -> dict[str, str]:
    """What keeps the questions of an activity apart, where an officer approves each: its agreement's text and itself.

    An answer to others was not approved for it. Without this, joining or repeating their question would go round the
    officer, who is asked by the connector alone.
    """
    return privacy_series.approved_apart(held.digest, activity)


def question_text(query: Query) -> str:
    """The question as the log shows it."""
    return _texts.of((query,), None, lambda: canonical_bytes(query).decode())


def read_request(forwarded: Forwarded) -> Request:
    """The request in a signed message.

    Raises:
        InvalidInput: ``malformed-body``.
    """
    try:
        return _small(forwarded.body) if len(forwarded.body) <= SMALL else Request.model_validate_json(forwarded.body)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InvalidInput("malformed-body", where=where or "request") from error


@lru_cache(maxsize=256)
def _small(body: str) -> Request:
    """One text is parsed once in a process: what follows from the request is then known by this very object."""
    return Request.model_validate_json(body)


def digest_of_request(forwarded: Forwarded) -> str:
    """The digest of the bytes that the requester signed."""
    return digest_of_bytes(forwarded.body.encode())


def look_up(r: Reading, request: Request, digest: str, now: datetime) -> Asked:
    """Everything that the registry knows about a request, which must fit its contracts.

    The agreement is the one in force under the name; whether the request means this text is the policy's question.

    Raises:
        InvalidInput: ``unknown-contract``, ``unknown-agreement``, ``unknown-activity``, ``price-not-positive``, or what
            does not fit.
    """
    asked = _asked(r, request, digest, agreement_meant(r, request.agreement), now)
    # A price that no plan can be made of must fail here, before anything is written down.
    plan(request.query, asked.contracts, request.nano_rho)
    return asked


def look_up_again(r: Reading, request: Request, digest: str, now: datetime) -> Asked:
    """The same for a request that was permitted before: the agreement is the text that the request names."""
    return _asked(r, request, digest, registry.agreement_text(r, request.agreement_digest), now)


def agreement_meant(r: Reading, name: str) -> HeldAgreement | None:
    """The agreement that a name means to whoever asks; a draft does not exist, not even for its refusals."""
    held = registry.agreement(r, name)
    return None if held is None or held.state is AgreementState.DRAFT else held


def contracts_of(r: Reading, refs: tuple[ContractRef, ...]) -> tuple[DatasetContract, ...]:
    """The published contracts of these references.

    Raises:
        InvalidInput: ``unknown-contract``.
    """
    known, found = registry.contracts_by_digest(r, {ref.digest for ref in refs}), []
    for ref in refs:
        contract = known.get(ref.digest)
        if contract is None or contract.reference != ref:
            raise InvalidInput("unknown-contract", contract=f"{ref.id} {ref.version}")
        found.append(contract)
    return tuple(found)


def owed(r: Reading, asked: Asked) -> tuple[Charge, ...]:
    """What a question that nobody has asked yet would cost: its price but for windows that its series has paid for."""
    return unpaid(r, asked.series, asked.price)


def unpaid(r: Reading, key: str | None, price: Collection[Charge]) -> tuple[Charge, ...]:
    """Those of the charges that a series, if the question is of one, has not paid."""
    paid = frozenset() if key is None else series.paid(r, key, {each.window for each in price})
    return tuple(each for each in price if each.window not in paid)


def series_of(
    query: Query, contracts: Sequence[DatasetContract], nano_rho: int, apart: Mapping[str, str]
) -> str | None:
    """The key of a question's standing series; none when it stands alone."""
    if query.series is None:
        return None
    datasets = [contract.reference for contract in contracts]
    return privacy_series.series_key(query, contracts, nano_rho, datasets=datasets, apart=apart)


def claim(t: Transaction, asked: Asked) -> tuple[Charge, ...]:
    """What a question costs that is being asked, and must be reserved by the same transaction.

    One of a standing series takes its months, and pays only for windows that nobody has paid for in the series.

    Raises:
        Refused: ``series-overlaps``.
        Unavailable: ``series-busy``.
    """
    key = asked.series
    if key is None:
        return asked.price
    windows = series.claim(t, key, asked.request.query.period.months(), asked.request.id)
    return tuple(each for each in asked.price if each.window in windows)


def released_before(
    r: Reading, question: str, contracts: Sequence[DatasetContract], *, frozen: bool = False
) -> Standing | None:
    """The valid release of a question on the data that the connectors hold now, if there is one.

    What a series has answered is ``frozen``: its release is given again whatever data the connectors hold now.
    """
    if frozen:
        return releases.current_release(r, question, None)
    versions = {}
    for contract in contracts:
        version = relay.known_versions(r, contract.agency).get(contract.id)
        if version is None:
            return None
        versions[contract.agency, contract.id] = version
    return releases.current_release(r, question, versions)


def bangkok_closed_until(now: datetime) -> date:
    """The first Bangkok day that is not closed yet."""
    return closed_until((now + BANGKOK).date())


def check_under(activity: Activity, query: Query, contracts: Sequence[DatasetContract], now: datetime) -> Grid:
    """The grid of a question to these contracts; what they do not offer is named with what the activity covers.

    Raises:
        InvalidInput: As ``contracts.fit.check_question``.
    """
    closed = bangkok_closed_until(now)
    try:
        return _grids.of((query, *contracts), closed, lambda: check_question(query, contracts, closed))
    except InvalidInput as error:
        agreed = {"unknown-measure": activity.measures, "unknown-dimension": activity.dimensions}.get(error.code)
        if agreed is None:
            raise
        # A choice that the contract offers and the activity does not cover would be refused next.
        told, choices = error.details, ", ".join(agreed) or "-"
        measure, dimension = told.get("measure", ""), told.get("dimension", "")
        raise InvalidInput(
            error.code, contract=told["contract"], measure=measure, dimension=dimension, choices=choices
        ) from error


def _asked(r: Reading, request: Request, digest: str, agreement: HeldAgreement | None, now: datetime) -> Asked:
    contracts = contracts_of(r, request.contracts)
    if agreement is None:
        raise InvalidInput("unknown-agreement", agreement=request.agreement)
    activity = agreement.agreement.activity(request.activity)
    if activity is None:
        raise InvalidInput("unknown-activity", agreement=request.agreement, activity=request.activity)
    grid = check_under(activity, request.query, contracts, now)
    return Asked(request, digest, contracts, agreement, activity, grid)
