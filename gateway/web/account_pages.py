"""The pages of one's own account: passkeys and sessions, the agency's people, the log of sign-ins, the registers."""

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from contracts.canonical import digest_of
from contracts.errors import Refused
from contracts.people import InvitationView
from contracts.values import Value
from gateway.people import accounts, open_invitations, orders, own_keys, passkeys, sessions, step_up, visible_entries
from gateway.people.attempts import Trying, check_attempt
from gateway.people.orders import PageOrder
from gateway.people.origin import origin_of
from gateway.people.passkeys import Asked, Credential
from gateway.people.roles import GIVES, May, check_may
from gateway.store import people
from gateway.web.account_route import (
    STEP,
    About,
    AccountRoute,
    Me,
    Step,
    With,
    digest_about,
    json_text,
    page,
    peer_of,
    remember,
)

routes = APIRouter(prefix="/account", include_in_schema=False, route_class=AccountRoute)


class NewPasskey(Value):
    """One more passkey, and what its owner calls the device."""

    credential: Credential
    label: str = Field(default="", max_length=60)


class GivenUp(Value):
    """The passkey that is revoked."""

    passkey: str = Field(max_length=1400)


@routes.get("")
def account_page(request: Request, me: Me, means: With) -> Response:
    """Who one is here, with which passkeys, and where one is signed in."""
    with means.store.read() as r:
        known, outside = people.passkeys_of(r, me.person.id), people.has_identity(r, me.person.id)
    names = {"passkeys": known, "outside": outside, "sessions": sessions.open_sessions(means, me.person.id), "now": me}
    return page(request, "account.html", names, me)


@routes.post("/passkeys/options")
def passkey_options(request: Request, me: Me, means: With) -> Response:
    """A challenge for one more passkey; whoever signed in long ago signs in again first."""
    check_attempt(means, Trying.PASSKEY, peer_of(request), me.person.id)
    if not step_up.is_fresh(me.session.created_at, means.clock()):
        raise Refused("step-up-missing")
    with means.store.read() as r:
        known = people.passkeys_of(r, me.person.id)
    asked = Asked(passkeys.MAKE, me.session.id_hash)
    return json_text(passkeys.make_options(means, asked, (me.person.id, me.person.name), known))


@routes.post("/passkeys")
def add_passkey(request: Request, new: NewPasskey, me: Me, means: With) -> Response:
    """Keep one more passkey."""
    check_attempt(means, Trying.PASSKEY, peer_of(request), me.person.id)
    asked = Asked(passkeys.MAKE, me.session.id_hash)
    key, _ = passkeys.made(means, asked, new.credential, me.person, new.label)
    accounts.add_passkey(means, key, me.person)
    return json_text("{}")


@routes.post("/passkeys/revoke")
def revoke_passkey(given_up: GivenUp, me: Me, means: With, step: Step = None) -> Response:
    """Take a passkey out of use, as this person has confirmed; everybody who is signed in to the account leaves."""
    step_up.check(means, me, step, digest_of(given_up))
    accounts.revoke_passkey(means, me.person, given_up.passkey)
    return json_text("{}")


@routes.post("/step-up/options")
def step_up_options(request: Request, about: About, me: Me, means: With) -> Response:
    """A challenge by which this person confirms exactly this."""
    check_attempt(means, Trying.STEP_UP, peer_of(request), me.person.id)
    return json_text(step_up.options(means, me, digest_about(about)))


@routes.post("/step-up")
def confirm(request: Request, credential: Credential, me: Me, means: With) -> Response:
    """Keep that this person confirmed it, for five minutes and once."""
    check_attempt(means, Trying.STEP_UP, peer_of(request), me.person.id)
    secret = step_up.confirm(means, me, credential)
    answer = json_text("{}")
    remember(answer, STEP, secret, strict=True)
    return answer


@routes.get("/people")
def people_page(request: Request, me: Me, means: With) -> Response:
    """The agency's people and the keys that they ask for."""
    check_may(me.person.roles, May.MANAGE_PEOPLE)
    agency = me.person.agency
    gives = sorted({each for role in me.person.roles for each in GIVES.get(role, ())})
    names = {
        "people": accounts.everybody(means, agency),
        "keys": own_keys.asked_of_agency(means, agency),
        "gives": gives,
        "invitations": open_invitations.everything(means, orders.giver_of(me), agency),
        "members": [(each.agency, each.title) for each in means.federation.members],
    }
    return page(request, "account_people.html", names, me)


@routes.post("/people")
def order_people(order: PageOrder, me: Me, means: With, step: Step = None) -> Response:
    """Invite, give, take, sign out or close, as this person has confirmed."""
    invited = orders.by_page(means, me, step, order)
    if invited is None:
        return json_text("{}")
    link = invited.link(origin_of(means.federation.gateway))
    return json_text(InvitationView(link=link, expires_at=invited.expires_at).model_dump_json())


@routes.get("/sign-ins")
def sign_ins_page(request: Request, me: Me, means: With) -> Response:
    """Sign-ins and changes of roles, as the log has them; people only as commitments."""
    check_may(me.person.roles, May.READ_SIGN_INS)
    return page(request, "account_sign_ins.html", {"entries": visible_entries.of_people(means, me.person)}, me)


@routes.get("/registers")
def registers_page(request: Request, me: Me, means: With) -> Response:
    """The register of disclosures of the agencies that this person's may look into."""
    check_may(me.person.roles, May.READ_REGISTERS)
    return page(request, "account_registers.html", {"lines": visible_entries.disclosures_for(means, me.person)}, me)
