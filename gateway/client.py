"""The gateway as a requester uses it: ``from gateway.client import Gateway``.

Every answer is checked before it is believed: the gateway's signature on each answer, and digest, signature and receipt
of each release, against the keys that this side has pinned. What the gateway refuses is raised as the error it sent.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
from pydantic import BaseModel
from typing_extensions import override

from contracts.authorization import ActivityDetail
from contracts.calls import SignedCalls
from contracts.canonical import canonical_bytes
from contracts.errors import IntegrityError, Refused, Spent, Unavailable, from_problem
from contracts.federation import Federation
from contracts.keys import SigningKey
from contracts.query import Query
from contracts.release import Release, ReleaseState, Withdrawal
from contracts.request import Request, RequestState
from contracts.signature_base import Message
from contracts.signing import sign_compact
from contracts.transport import ClientFiles
from contracts.values import Value
from contracts.views import (
    AgreementView,
    BudgetLine,
    Preview,
    PreviewCall,
    PublishedContract,
    ReleaseSummary,
    RequestStatus,
    SignedText,
)
from gateway.analysis_calls import Publications
from gateway.answers import Wire, error_in, every_page, is_success, oauth_error, read_value, read_values
from gateway.asked_words import in_words_of
from gateway.asking import call_of, request_of
from gateway.checked_answer import check_signed
from gateway.checked_release import check_answer, check_release, check_standing
from gateway.family_table import family_errors, family_table
from gateway.family_workbook import WORKBOOK, write_family_workbook
from gateway.given_names import agreement_name, release_name
from gateway.released_table import table_of, write_table
from transport.line import Line
from transport.lines import line_to

SECONDS_BETWEEN_TRIES: Final = 0.5
LONGEST_POLL: Final = 20
"""Seconds for which a call asks the gateway to wait."""

ANSWER_SECONDS: Final = LONGEST_POLL + 10.0
ROWS_SHOWN: Final = 10

Clock = Callable[[], datetime]
Progress = Callable[[RequestStatus], None]
"""Told each time that a question's standing is seen while waiting; ``waiting_for`` names the agencies."""


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # a requester's own process begins here


def _silent(_: RequestStatus) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Result:
    """One released answer, checked: the table, its errors, its receipt.

    ``asked`` is the question that it answers, where that is known: a question that was asked before in other words has
    the release of that one, and the table is then in the words of this one. ``witnesses`` are the agencies that stand
    by the checkpoint of the log under which the release was recorded.
    """

    release: Release
    asked: Query | None = None
    witnesses: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether the release may still be relied on: it was neither withdrawn nor superseded."""
        return self.release.withdrawal is None or self.release.withdrawal.state is ReleaseState.VALID

    def to_arrow(self) -> pa.Table:
        """The cells as an Arrow table; see ``gateway.released_table.table_of`` for its columns.

        A family has all its tables in one; see ``gateway.family_table.family_table``.
        """
        told = self.told
        return family_table(told) if told.body.tables else table_of(told)

    @property
    def told(self) -> Release:
        """The release in the words of the question; see ``gateway.asked_words``."""
        return self.release if self.asked is None else in_words_of(self.asked, self.release)

    def to_pandas(self) -> pd.DataFrame:
        """The cells as a pandas frame, with the release named in ``attrs``."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        frame.attrs.update({"release": self.release.body.id, "digest": self.release.digest})
        return frame

    def to_polars(self) -> pl.DataFrame:
        """The cells as a polars frame."""
        return pl.DataFrame(self.to_arrow())

    def export(self, path: Path) -> None:
        """Write the cells as CSV, Parquet or XLSX, as the ending of the file's name says."""
        if self.release.body.tables and path.suffix.lower() == WORKBOOK:
            write_family_workbook(self.told, path)
        else:
            write_table(self.to_arrow(), path)

    @override
    def __repr__(self) -> str:
        """The first rows and what to hold of them."""
        return f"{self.to_pandas().head(ROWS_SHOWN)}\n{self._footing()}"

    def _repr_html_(self) -> str:
        rows = self.to_pandas().head(ROWS_SHOWN).to_html(index=False, border=0)
        return f"{rows}<p>{escape(self._footing())}</p>"

    def _footing(self) -> str:
        body = self.release.body
        errors = family_errors(body) or ", ".join(
            f"{each.measure} ± {'up to ' if each.along else ''}{each.expected_error_95:,.0f}" for each in body.released
        )
        state = "" if self.is_valid else " · WITHDRAWN"
        return f"{errors} in 95 of 100 releases · release {self.release.body.id}{state}"


class Gateway(Publications):
    """One member's line to the gateway.

    Args:
        url: Where the gateway is reached.
        key: The member's client key; it signs every call and is never sent.
        agency: The member.
        federation: The keys against which every answer is checked; it stays so until ``believe`` gives newer ones.
        clock: The present, aware UTC.
        line: The line to use, which is closed with this; by default one that follows no redirect and no proxy.
        tls: The trusted roots and what this member shows of itself; plain HTTP stays on this machine.
        quorum: How many agencies must stand by the log's checkpoint of a release that is fetched.
    """

    def __init__(  # noqa: PLR0913  # one for each thing that a member brings along
        self,
        url: str,
        key: SigningKey,
        agency: str,
        federation: Federation,
        *,
        clock: Clock = _now,
        line: Line | None = None,
        tls: ClientFiles | None = None,
        quorum: int = 0,
    ) -> None:
        self._federation, self._quorum = federation, quorum
        self._agency = agency
        files = tls or ClientFiles()
        self._calls = SignedCalls(key, agency, federation.gateway, has_certificate=files.shows_certificate)
        self._key = key
        self._clock = clock
        self._submitted: dict[str, Request] = {}
        self._line = line or line_to(url, files)

    def __enter__(self) -> Self:
        """Use it in a ``with`` block to have the connection closed."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connection."""
        self._line.close()

    # ------------------------------------------------------------ asking

    def question(
        self, agreement: str, activity: str, query: Query, *, contracts: Sequence[str] = (), nano_rho: int | None = None
    ) -> PreviewCall:
        """Put a question to an activity of an agreement; nothing is asked yet.

        Args:
            agreement: The agreement under which it is asked.
            activity: The activity of that agreement.
            query: What is asked; ``gateway.asking.query_of`` makes one from words.
            contracts: Identifiers of datasets; none means all of the activity.
            nano_rho: What it may cost in each window; the activity's price when left out.

        Raises:
            InvalidInput: ``unknown-activity`` or ``unknown-contract``.
        """
        return call_of(self.agreement(agreement), activity, query, contracts, nano_rho)

    def preview(self, call: PreviewCall) -> Preview:
        """What a question would cost and how good its answer would be; spends nothing and touches no data."""
        return self.post("/v1/preview", call, Preview)

    def ask(self, call: PreviewCall, *, wait_seconds: float = 300.0, progress: Progress = _silent) -> Result:
        """Ask a question and wait for its release.

        Raises:
            Refused: The rules said no.
            Unavailable: ``waiting-for-agency``: nothing is lost, ``wait`` with the request's identifier goes on.
            IntegrityError: As ``wait``; that the release answers this question is always checked here.
        """
        request = self.request(call)
        self.submit(request)
        return self.wait(request.id, wait_seconds, progress)

    def request(self, call: PreviewCall) -> Request:
        """The question as a request under a fresh identifier, ready to be submitted."""
        name = f"req-{secrets.token_hex(12)}"
        return request_of(name, self._federation.gateway, call, self.agreement(call.agreement), self._clock())

    def submit(self, request: Request) -> RequestStatus:
        """Send a request; sending the same one again costs nothing and says where it stands."""
        self._submitted[request.id] = request
        detail = ActivityDetail.of(request.agreement, request.activity)
        return read_value(RequestStatus, self._member("POST", "/v1/requests", canonical_bytes(request), detail))

    def wait(self, request: str, seconds: float = 300.0, progress: Progress = _silent) -> Result:
        """Wait for the release of a request, through restarts of the gateway.

        A release must answer its question. This object knows the questions that it submitted; of one that another
        process submitted, only that the release is genuine is checked here: submit the request again, which costs
        nothing, to have both.

        Raises:
            IntegrityError: ``release-altered`` also for a genuine release of another question; see ``release``.
            Refused: The request was refused, as the error that the gateway gave.
            Unavailable: ``waiting-for-agency`` or ``gateway-unreachable``, when the time is over.
        """
        until = time.monotonic() + seconds
        while True:
            left = max(0, min(LONGEST_POLL, int(until - time.monotonic())))
            try:
                status = read_value(RequestStatus, self._member("GET", f"/v1/requests/{request}?wait={left}"))
            except Unavailable as error:
                if error.code != "gateway-unreachable" or time.monotonic() >= until:
                    raise
                time.sleep(SECONDS_BETWEEN_TRIES)
                continue
            if status.release is not None:
                return self._answer(request, status.release)
            if status.state is RequestState.REFUSED and status.problem is not None:
                raise from_problem(status.problem)
            progress(status)
            if time.monotonic() >= until:
                agency = ", ".join(status.waiting_for) or "the gateway"
                raise Unavailable("waiting-for-agency", spent=Spent.RESERVED, agency=agency)

    # ------------------------------------------------------------ releases, budget, registers

    def release(self, name: str) -> Result:
        """One release, checked.

        Raises:
            IntegrityError: It is not what the gateway signed and logged; ``receipt-missing``: the gateway makes the
                receipt when a release is fetched, so one without is never on its way and is not waited for.
        """
        return self._fetched(name, self._member("GET", f"/v1/releases/{release_name(name)}"))

    def public_release(self, name: str) -> Result:
        """One public release as any visitor reads it, checked like ``release``."""
        return self._fetched(name, self.public(f"/v1/releases/{release_name(name)}"))

    def releases(self) -> tuple[ReleaseSummary, ...]:
        """The releases that this member may read."""
        return self.get_all("/v1/releases", ReleaseSummary, lambda each: each.id)

    def withdraw(self, withdrawal: Withdrawal) -> Result:
        """Say that a release is no longer to be relied on. The answer needs no receipt: fetching gives it."""
        path = f"/v1/releases/{withdrawal.release}/withdrawal"
        return self._checked(self._member("POST", path, canonical_bytes(withdrawal)))

    def budget(self) -> tuple[BudgetLine, ...]:
        """What is left to spend."""
        return read_values(BudgetLine, self._member("GET", "/v1/budget"))

    def contracts(self) -> tuple[PublishedContract, ...]:
        """Every published contract."""
        return every_page(PublishedContract, "/v1/contracts", self.public, lambda each: each.reference.digest)

    def agreement(self, name: str) -> AgreementView:
        """One agreement."""
        return read_value(AgreementView, self._member("GET", f"/v1/agreements/{agreement_name(name)}"))

    # ------------------------------------------------------------ the wire, for modules about one register each

    @property
    def agency(self) -> str:
        """The member that calls."""
        return self._agency

    @property
    def federation(self) -> Federation:
        """The pinned keys."""
        return self._federation

    def believe(self, federation: Federation, key: SigningKey) -> None:
        """Check by these keys, and sign by that one, from now on: whoever keeps a line open for long calls it."""
        self._federation = federation
        if key.kid != self._key.kid:
            self._key = key
            self._calls.sign_with(key)

    def now(self) -> datetime:
        """The present on this side."""
        return self._clock()

    @override
    def signed(self, value: Value, kind: str) -> SignedText:
        """A value under the own client key, as a compact JWS of that kind."""
        return SignedText(document=sign_compact(canonical_bytes(value), kind, self._key))

    @override
    def post(self, path: str, value: BaseModel, model: type[Wire]) -> Wire:
        """Send a value as a signed call and read the checked answer."""
        return read_value(model, self._member("POST", path, canonical_bytes(value)))

    @override
    def get(self, path: str, model: type[Wire]) -> Wire:
        """Read one value as a member."""
        return read_value(model, self._member("GET", path))

    @override
    def get_all(self, path: str, model: type[Wire], name: Callable[[Wire], str] | None = None) -> tuple[Wire, ...]:
        """Read a list as a member; one that comes in pages by the ``name`` of its items."""
        if name is None:
            return read_values(model, self._member("GET", path))
        return every_page(model, path, lambda page: self._member("GET", page), name)

    def _answer(self, request: str, name: str) -> Result:
        result = self.release(name)
        submitted = self._submitted.get(request)
        if submitted is None:
            return result
        check_answer(result.release, submitted)
        return replace(result, asked=submitted.query)

    def _fetched(self, name: str, body: bytes) -> Result:
        result = self._checked(body)
        if result.release.body.id != name:
            raise IntegrityError("release-altered")
        check_standing(result.release, result.witnesses, self._quorum)
        return result

    def _checked(self, body: bytes) -> Result:
        release = read_value(Release, body)
        return Result(release, witnesses=check_release(release, self._federation))

    @override
    def public(self, path: str) -> bytes:
        """What anybody may read there, without a token; the gateway does not sign such an answer."""
        answer = self._sent(Message("GET", path, {}, b""))
        if not is_success(answer):
            raise error_in(answer.body)
        return answer.body

    def about_token(self, path: str, token: str) -> bytes:
        """Ask the authorization server about an access token of the own agency; see ``gateway.token_calls``."""
        answer = self._sent(self._calls.about_token(path, token, self._clock()))
        if not is_success(answer):
            raise Refused("token-invalid", why=oauth_error(answer.body))
        return answer.body

    def _member(self, method: str, path: str, body: bytes = b"", detail: ActivityDetail | None = None) -> bytes:
        """A signed call; a token that the gateway no longer takes is renewed once."""
        answer = self._signed_call(method, path, body, detail)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._calls.forget_tokens()
            answer = self._signed_call(method, path, body, detail)
        if not is_success(answer):
            raise error_in(answer.body)
        check_signed(answer, self._federation, self._clock())
        return answer.body

    def _signed_call(self, method: str, path: str, body: bytes, detail: ActivityDetail | None) -> Message:
        now = self._clock()
        if self._calls.needs_token(now, detail):
            self._calls.accept_token(self._sent(self._calls.token_request(now, detail)).body, now, detail)
        return self._sent(self._calls.message(method, path, body, now, detail))

    def _sent(self, call: Message) -> Message:
        return self._line.send(call, ANSWER_SECONDS)
