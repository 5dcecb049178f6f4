"""The trust registry: what members and officers sign of it, and how it becomes the federation that programs believe.

It is distributed with The Update Framework (TUF, specification 1.0): officers of different agencies sign, k of n, the
root of trust and the charter; each agency's registrar signs its own keys and contracts, and nobody else's; the gateway
signs only how fresh all this is. The framework sees to signatures, versions, hashes and expiry; here stand the rules
that are ours: whose key may be what, and what may never change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from pydantic import Field, ValidationError, model_validator

from contracts.errors import IntegrityError
from contracts.federation import Federation, KeyPurpose, Member, PublicKey
from contracts.identifiers import AgencyId
from contracts.values import Value

TIMESTAMP_LIFE: Final = timedelta(hours=48)
"""How long the gateway's word on freshness holds: the longest that it can hide a change from anybody."""

TIMESTAMP_RENEWAL: Final = timedelta(hours=1)
"""After so long it is signed anew, so that an outage of almost two days stops nobody."""

SNAPSHOT_LIFE: Final = timedelta(days=7)
SNAPSHOT_RENEWAL: Final = timedelta(days=1)
OFFICERS_LIFE: Final = timedelta(days=365)
"""How long root and charter hold before the officers have to sign again."""

AGENCY_LIFE: Final = timedelta(days=365)
CHARTER_PATH: Final = "federation.json"
MOST_MEMBERS: Final = 500

ANY_MEMBER: Final = frozenset(
    {
        KeyPurpose.CLIENT,
        KeyPurpose.CONNECTOR,
        KeyPurpose.OFFICER,
        KeyPurpose.STEWARD,
        KeyPurpose.DPO,
        KeyPurpose.WITNESS,
    }
)
OPERATOR_ALONE: Final = frozenset({KeyPurpose.GATEWAY, KeyPurpose.TOKEN, KeyPurpose.LOG})
"""What only the member that runs the gateway may register. Keys of the registry itself are in none of these lists."""


class Charter(Value):
    """Who the federation is, signed by its officers: the gateway's issuer identifier, who runs it, and the members."""

    gateway: str = Field(min_length=8, max_length=200)
    operator: AgencyId
    agencies: tuple[AgencyId, ...] = Field(min_length=1, max_length=MOST_MEMBERS)

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(set(self.agencies)) != len(self.agencies) or self.operator not in self.agencies:
            raise ValueError("each member once, the operator among them")
        return self


class RegistryUpdate(Value):
    """New signed metadata of one role, as its signers made it, and the targets that it names and that are new.

    ``role`` is ``root``, ``targets`` or an agency; ``metadata`` the JSON text, for its bytes are signed; ``targets``
    gives texts by path.
    """

    role: str = Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")
    metadata: str = Field(max_length=500_000)
    targets: dict[str, str] = Field(default_factory=dict)


class RegistryBatch(Value):
    """Updates that hold together or not at all: a new registrar key and what it signed, a new root and its charter."""

    updates: tuple[RegistryUpdate, ...] = Field(min_length=1, max_length=MOST_MEMBERS)


class Taken(Value):
    """The roles whose new documents were taken in."""

    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry after every check.

    Args:
        federation: What programs believe.
        good_until: When the first of its signed parts expires; nothing is done by it from then on.
        contracts: The digests (hexadecimal) of the contracts that each agency has registered.
        version: The number of the gateway's word on freshness.
    """

    federation: Federation
    good_until: datetime
    contracts: Mapping[str, frozenset[str]]
    version: int


def member_path(agency: str) -> str:
    """The target that holds an agency's keys."""
    return f"members/{agency}.json"


def contract_path(agency: str, digest: str) -> str:
    """The target that holds an agency's signed contract; ``digest`` is the contract's, ``sha-256:<hex>``."""
    return f"contracts/{agency}/{digest.removeprefix('sha-256:')}"


def paths_of(agency: str) -> tuple[str, ...]:
    """All that an agency's registrar may sign."""
    return (member_path(agency), f"contracts/{agency}/*")


def statement_of(member: Member) -> Member:
    """What a registrar signs of a member: every key but those of the registry itself, which the officers sign."""
    return member.model_copy(
        update={"keys": tuple(key for key in member.keys if key.purpose in ANY_MEMBER | OPERATOR_ALONE)}
    )


def read_charter(data: bytes) -> Charter:
    """The charter in a target.

    Raises:
        IntegrityError: ``registry-content``.
    """
    try:
        return Charter.model_validate_json(data)
    except ValidationError as error:
        raise IntegrityError("registry-content", rule="charter-form", where=CHARTER_PATH) from error


def read_member(data: bytes, agency: str, operator: str) -> Member:
    """An agency's keys in a target.

    Raises:
        IntegrityError: ``registry-content``, as ``check_member``.
    """
    try:
        member = Member.model_validate_json(data)
    except ValidationError as error:
        raise IntegrityError("registry-content", rule="member-form", where=member_path(agency)) from error
    check_member(member, agency, operator)
    return member


def check_member(member: Member, agency: str, operator: str) -> None:
    """Check that an agency registers its own keys, each once, and each for what a member may have a key for.

    Raises:
        IntegrityError: ``registry-content``, naming the rule and the key.
    """
    where = member_path(agency)
    if member.agency != agency:
        raise IntegrityError("registry-content", rule="own-name", where=where)
    allowed = ANY_MEMBER | (OPERATOR_ALONE if agency == operator else frozenset())
    for key in member.keys:
        owner, _, name = key.kid.partition("#")
        if owner != agency:
            raise IntegrityError("registry-content", rule="own-keys", where=key.kid)
        if key.purpose not in allowed or name.rpartition("-")[0] != key.purpose.value:
            raise IntegrityError("registry-content", rule="key-purpose", where=key.kid)
    _check_each_once(member.keys, where)


def _check_each_once(keys: Iterable[PublicKey], where: str) -> None:
    listed = tuple(keys)
    points = {(key.x, key.y) for key in listed}
    if len({key.kid for key in listed}) != len(listed) or len(points) != len(listed):
        raise IntegrityError("registry-content", rule="each-key-once", where=where)


def check_successor(before: Member, after: Member, now: datetime | None = None) -> None:
    """Check that a member's new list keeps what signatures of the past are verified by, and revokes for good.

    A key may be added, revoked, or given another end; it never leaves the list, changes, begins earlier or comes back.

    Args:
        before: The member as it was.
        after: The member as it shall be.
        now: When the one follows the other: an end that has passed by then is not put off. A reader does not know when
            that was, and leaves it out: an end may have been put off in time while it did not look.

    Raises:
        IntegrityError: ``registry-content``, naming the rule and the key.
    """
    new = {key.kid: key for key in after.keys}
    for old in before.keys:
        key = new.get(old.kid)
        if key is None:
            raise IntegrityError("registry-content", rule="keys-stay-listed", where=old.kid)
        if old.revoked and not key.revoked:
            raise IntegrityError("registry-content", rule="revoked-for-good", where=old.kid)
        if now is not None and old.valid_until <= now and key.valid_until > old.valid_until:
            raise IntegrityError("registry-content", rule="ended-for-good", where=old.kid)
        same = old.model_copy(update={"valid_until": key.valid_until, "revoked": key.revoked})
        if key != same:
            raise IntegrityError("registry-content", rule="keys-never-change", where=old.kid)


def fold(charter: Charter, members: Mapping[str, Member]) -> Federation:
    """The federation: those members of the charter whose keys are registered, each checked once more.

    Raises:
        IntegrityError: ``registry-content``, as ``check_member``; or when two members have one key.
    """
    listed = tuple(members[agency] for agency in charter.agencies if agency in members)
    for agency in charter.agencies:
        if agency in members:
            check_member(members[agency], agency, charter.operator)
    _check_each_once((key for member in listed for key in member.keys), "members")
    return Federation(gateway=charter.gateway, operator=charter.operator, members=listed)
