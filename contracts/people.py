"""People of the gateway's pages: roles, and orders about people as somebody with the right signs them.

A steward orders for the agency's own people, an officer of the gateway's operator for the first steward of an agency
and for the operator's own people. What is ordered is checked again by the rules of ``gateway.people.roles``.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field, ValidationError

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.identifiers import AgencyId, Identifier, KeyId
from contracts.signing import verify_document
from contracts.values import Value

PEOPLE_KIND: Final = "people-order"
MOST_SKEW: Final = timedelta(seconds=60)


class PersonRole(StrEnum):
    """What somebody does for one agency; ``docs/reference/roles.md`` says what each may see and do."""

    STEWARD = "steward"
    DPO = "dpo"
    OFFICER = "officer"
    ANALYST = "analyst"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    OPERATOR = "operator"


class PeopleAct(StrEnum):
    """What is ordered: ``end`` ends a person's sessions, ``close`` the account with all that opens it.

    ``cancel`` makes a link of an invitation that nobody used good no more.
    """

    LIST = "list"
    INVITE = "invite"
    GIVE = "give"
    TAKE = "take"
    END = "end"
    CLOSE = "close"
    CANCEL = "cancel"


class PeopleOrder(Value):
    """An order about people of ``agency`` by ``by``, as it is signed (document kind ``people-order``).

    ``roles`` are those of an invitation, or the one given or taken. ``name`` is that of who is invited.
    ``person`` says whose roles, sessions or account it is about, or who gets a new invitation to sign in.
    ``invitation`` names the one that is cancelled.
    """

    id: Identifier
    by: AgencyId
    at: AwareDatetime
    act: PeopleAct
    agency: AgencyId
    person: Identifier | None = None
    roles: tuple[PersonRole, ...] = Field(default=(), max_length=len(PersonRole))
    name: str = Field(default="", max_length=200)
    invitation: Identifier | None = None


class PersonView(Value):
    """A person's account: open sessions and passkeys as counts; ``closed`` for good."""

    id: Identifier
    agency: AgencyId
    name: str
    roles: tuple[PersonRole, ...]
    passkeys: int
    sessions: int
    closed: bool


class KeyRequestView(Value):
    """A key that a person asks the agency's registrar to put into the federation: the request as the key signed it."""

    kid: KeyId
    person: Identifier
    document: str
    registered: bool


class InvitationView(Value):
    """A link that opens an account once; whoever has it may use it, so it goes to one person by a safe way."""

    link: str
    expires_at: AwareDatetime


class OpenInvitation(Value):
    """An unused invitation without its link; ``person`` when it leads into an account, ``by`` who gave it."""

    id: Identifier
    agency: AgencyId
    name: str
    roles: tuple[PersonRole, ...]
    person: Identifier | None
    by: AgencyId
    expires_at: AwareDatetime


class PeopleAnswer(Value):
    """What an order came to: the agency's people, key requests and open invitations, and a new one if there is one."""

    people: tuple[PersonView, ...]
    keys: tuple[KeyRequestView, ...] = ()
    invitation: InvitationView | None = None
    invitations: tuple[OpenInvitation, ...] = ()


def read_people_order(document: str, federation: Federation, now: datetime) -> tuple[PeopleOrder, PublicKey]:
    """The order in a signed document, and the key of its one signer.

    Raises:
        Refused: ``key-unknown``, ``signature-wrong``, ``people-order-refused``.
        InvalidInput: ``malformed-body``, ``not-canonical``.
    """
    signed = verify_document(document, PEOPLE_KIND, lambda kid: ordering_key(federation, kid, now))
    try:
        order = PeopleOrder.model_validate_json(signed.payload)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="people-order") from error
    if canonical_bytes(order) != signed.payload:
        raise InvalidInput("not-canonical")
    if abs(order.at - now) > MOST_SKEW:
        raise Refused("people-order-refused", why="signed too long ago")
    keys = [key for key in (ordering_key(federation, kid, now) for kid in signed.signers) if key is not None]
    if len(keys) != 1 or keys[0].kid.partition("#")[0] != order.by:
        raise Refused("people-order-refused", why="signed by another agency, or by several")
    return order, keys[0]


def ordering_key(federation: Federation, kid: str, at: datetime) -> PublicKey | None:
    """A key that may order about people at an instant: a steward's; or, of the gateway's operator, an officer's."""
    steward = federation.key(kid, KeyPurpose.STEWARD, at)
    if steward is not None or kid.partition("#")[0] != federation.operator:
        return steward
    return federation.key(kid, KeyPurpose.OFFICER, at)
