"""Emergency suspension: an agency, or one dataset of it, answers and asks nothing until the suspension is lifted.

Gateway and connector apply the same rules, each to its own pinned federation:

- One person suspends: an officer, a data protection officer or a steward of the agency itself, or an officer of the
  gateway's operator.
- Two people of the side that ordered it lift: an officer, and a data protection officer or a steward. A side that has
  registered nobody but officers lifts with two of these.
- An identifier stands for one suspension for ever. Once lifted it is not ordered again; a new one needs a new name.
- A lift lifts what was ordered before it, never what is ordered later: nobody signs a lift in advance.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field, ValidationError

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.identifiers import AgencyId, DatasetId, Identifier
from contracts.signing import payload_of, verify_document
from contracts.values import Value

SUSPENSION_KIND: Final = "suspension"
SECOND: Final = (KeyPurpose.DPO, KeyPurpose.STEWARD)
ORDERS: Final = (KeyPurpose.OFFICER, *SECOND)
PEOPLE_TO_LIFT: Final = 2
CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far ahead a clock may be. Generous: in an emergency nobody shall have to set a clock first."""


class Order(StrEnum):
    """What is ordered: one signature suspends, two people lift."""

    SUSPEND = "suspend"
    LIFT = "lift"


class Suspension(Value):
    """An order, as it is signed (document kind ``suspension``); ``id`` names the suspension that it opens or lifts.

    ``by`` is the agency itself, or the gateway's operator in an emergency. Without ``dataset`` it is the whole agency.
    """

    id: Identifier
    order: Order
    by: AgencyId
    agency: AgencyId
    dataset: DatasetId | None = None
    at: AwareDatetime
    reason: str = Field(min_length=1, max_length=1000)

    @property
    def subject(self) -> tuple[str, str, str, str | None]:
        """What a lift must name exactly as the suspension did."""
        return self.id, self.by, self.agency, self.dataset


class Suspended(Value):
    """What stands suspended at a moment: whole agencies, and datasets as (agency, dataset)."""

    agencies: frozenset[AgencyId] = frozenset()
    datasets: frozenset[tuple[AgencyId, DatasetId]] = frozenset()

    def covers(self, agency: str, dataset: str | None = None) -> bool:
        """Whether an agency, or a dataset of it, is suspended."""
        return agency in self.agencies or (dataset is not None and (agency, dataset) in self.datasets)


class SuspensionView(Value):
    """A suspension as everybody sees it, standing or past; the documents are the signed orders."""

    id: Identifier
    by: AgencyId
    agency: AgencyId
    dataset: DatasetId | None
    reason: str
    ordered_at: AwareDatetime
    document: str
    lifted_at: AwareDatetime | None = None
    lift_reason: str | None = None
    lift_document: str | None = None


def read_order(document: str, federation: Federation, now: datetime, *, at_receipt: bool = True) -> Suspension:
    """The order in a signed document, signed by exactly those who may.

    Args:
        document: A JWS in general JSON serialisation.
        federation: The pinned keys.
        now: The time of reading.
        at_receipt: Whether the keys must be able to sign now. Otherwise they must have been when the order says that it
            was signed: for what was accepted before and is heard of later.

    Raises:
        Refused: ``key-unknown``, ``signature-wrong``; ``signature-stale`` when it lies ahead of ``now``;
            ``suspension-signers-wrong``.
        InvalidInput: ``malformed-body``, ``not-canonical``.
    """
    at = now if at_receipt else _read(payload_of(document)).at
    signed = verify_document(document, SUSPENSION_KIND, lambda kid: _key(federation, kid, at))
    order = _read(signed.payload)
    if order.at > now + CLOCK_SKEW:
        raise Refused("signature-stale")
    keys = [key for key in (_key(federation, kid, at) for kid in signed.signers) if key is not None]
    if not _may_order(order, keys, federation, at):
        raise Refused("suspension-signers-wrong", agency=order.by)
    return order


def lifts_it(lift: Suspension, order: Suspension) -> bool:
    """Whether an order to lift is about this suspension and not older than it."""
    return lift.subject == order.subject and lift.at >= order.at


def suspended_by(orders: Iterable[Suspension]) -> Suspended:
    """What stands after these verified orders, in whatever order they came."""
    given = tuple(orders)
    lifts = [each for each in given if each.order is Order.LIFT]
    standing = [
        each for each in given if each.order is Order.SUSPEND and not any(lifts_it(lift, each) for lift in lifts)
    ]
    return Suspended(
        agencies=frozenset(each.agency for each in standing if each.dataset is None),
        datasets=frozenset((each.agency, each.dataset) for each in standing if each.dataset is not None),
    )


def _read(payload: bytes) -> Suspension:
    try:
        order = Suspension.model_validate_json(payload)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="suspension") from error
    if canonical_bytes(order) != payload:
        raise InvalidInput("not-canonical")
    return order


def _may_order(order: Suspension, keys: list[PublicKey], federation: Federation, now: datetime) -> bool:
    if order.by not in {order.agency, federation.operator}:
        return False
    if any(key.kid.partition("#")[0] != order.by for key in keys):
        return False
    purposes = [key.purpose for key in keys]
    if order.order is Order.SUSPEND:
        return len(purposes) == 1 and (order.by == order.agency or purposes == [KeyPurpose.OFFICER])
    return len(purposes) == PEOPLE_TO_LIFT and _are_two_people(purposes, order.by, federation, now)


def _are_two_people(purposes: list[KeyPurpose], side: str, federation: Federation, now: datetime) -> bool:
    officers = purposes.count(KeyPurpose.OFFICER)
    has_second = any(federation.keys_of(side, purpose, now) for purpose in SECOND)
    return officers == (1 if has_second else PEOPLE_TO_LIFT)


def _key(federation: Federation, kid: str, at: datetime) -> PublicKey | None:
    found = (federation.key(kid, purpose, at) for purpose in ORDERS)
    return next((key for key in found if key is not None), None)
