"""Orders about people as they come: signed by a steward's or an operator's key, or confirmed on a page."""

from contracts.canonical import digest_of
from contracts.errors import InvalidInput, Refused
from contracts.identifiers import AgencyId, Identifier
from contracts.people import (
    InvitationView,
    PeopleAct,
    PeopleAnswer,
    PeopleOrder,
    PersonRole,
    read_people_order,
)
from contracts.values import Value
from gateway.caller import Caller
from gateway.means import Means
from gateway.people import accounts, open_invitations, own_keys, step_up
from gateway.people.accounts import Guest, Invited
from gateway.people.origin import origin_of
from gateway.people.roles import Giver, May, check_may, giver_by_key
from gateway.people.sessions import SignedIn
from gateway.store import people, requests


class PageOrder(Value):
    """An order as a page sends it: what ``PeopleOrder`` says, by whoever is signed in, now."""

    act: PeopleAct
    agency: AgencyId
    person: Identifier | None = None
    roles: tuple[PersonRole, ...] = ()
    name: str = ""
    invitation: Identifier | None = None


def by_key(means: Means, caller: Caller, document: str) -> PeopleAnswer:
    """Do what a steward, or an officer of the operator, has signed; once.

    Raises:
        Refused: ``people-order-refused``, ``role-not-given``, ``key-unknown``, ``signature-wrong``, ``not-allowed``.
        InvalidInput: ``unknown-person``, ``unknown-agency``, ``malformed-body``, ``not-canonical``.
    """
    now = means.clock()
    order, key = read_people_order(document, means.federation, now)
    if caller.agency != order.by:
        raise Refused("not-allowed")
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        if not people.is_new_order(t, order.id, now):
            raise Refused("people-order-refused", why="it was carried out before")
    return carry_out(means, giver_by_key(key), order)


def by_page(means: Means, signed_in: SignedIn, step: str | None, order: PageOrder) -> Invited | None:
    """Do what somebody confirmed on a page by a step-up for exactly this order.

    Raises:
        Refused: ``role-missing``, ``step-up-missing``, ``role-not-given``.
        InvalidInput: ``unknown-person``, ``unknown-agency``, ``malformed-body``.
    """
    check_may(signed_in.person.roles, May.MANAGE_PEOPLE)
    step_up.check(means, signed_in, step, digest_of(order))
    return _done(means, giver_of(signed_in), order)


def carry_out(means: Means, giver: Giver, order: PeopleOrder) -> PeopleAnswer:
    """Do what is ordered and show how the agency's people stand.

    Raises:
        Refused: ``role-not-given``; ``people-order-refused`` for another agency's people.
        InvalidInput: ``unknown-person``, ``unknown-agency``, ``malformed-body``.
    """
    if PersonRole.OPERATOR not in giver.roles and order.agency != giver.agency:
        raise Refused("people-order-refused", why="these are another agency's people")
    page = PageOrder.model_validate(order.model_dump(include=set(PageOrder.model_fields)))
    invited = _done(means, giver, page)
    origin = origin_of(means.federation.gateway)
    link = InvitationView(link=invited.link(origin), expires_at=invited.expires_at) if invited else None
    still_open = open_invitations.everything(means, giver, order.agency)
    if order.agency != giver.agency:  # an operator sees nobody's names but the own agency's, and whom he invited
        return PeopleAnswer(people=(), invitation=link, invitations=still_open)
    shown, keys = accounts.everybody(means, order.agency), own_keys.asked_of_agency(means, order.agency)
    return PeopleAnswer(people=shown, keys=keys, invitation=link, invitations=still_open)


def giver_of(signed_in: SignedIn) -> Giver:
    """Whoever is signed in, as a giver of roles."""
    return Giver(signed_in.person.agency, signed_in.person.roles, signed_in.person.id)


def _done(means: Means, giver: Giver, order: PageOrder) -> Invited | None:
    agency, name = order.agency, order.person or ""
    match order.act:
        case PeopleAct.INVITE:
            return accounts.invite(means, giver, Guest(agency, order.name, frozenset(order.roles), order.person))
        case PeopleAct.GIVE | PeopleAct.TAKE:
            change = accounts.give if order.act is PeopleAct.GIVE else accounts.take
            change(means, giver, agency, name, _one(order))
        case PeopleAct.END:
            accounts.end_sessions(means, giver, agency, name)
        case PeopleAct.CLOSE:
            accounts.close(means, giver, agency, name)
        case PeopleAct.CANCEL:
            open_invitations.cancel(means, giver, agency, order.invitation or "")
        case PeopleAct.LIST:
            pass
    return None


def _one(order: PageOrder) -> PersonRole:
    if len(order.roles) != 1:
        raise InvalidInput("malformed-body", where="roles")
    return order.roles[0]
