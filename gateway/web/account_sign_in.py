"""Pages and calls by which people get in: the invitation, the passkey, the login provider; and how they leave."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Refused, SaphanError
from contracts.values import Value
from gateway.means import Means
from gateway.people import accounts, attempts, oidc, passkeys, sessions, step_up
from gateway.people.attempts import Trying, check_attempt
from gateway.people.oidc import Identified, Returned, Wanted
from gateway.people.passkeys import Asked, Credential
from gateway.people.secret_names import kept
from gateway.people.sessions import SignedIn
from gateway.store import people
from gateway.store.engine import Transaction
from gateway.store.people import Person
from gateway.web.account_route import (
    ACCOUNT,
    BROWSER,
    SESSION,
    SIGN_IN,
    STEP,
    About,
    AccountRoute,
    AtAccounts,
    Before,
    Me,
    With,
    back,
    browser_of,
    digest_about,
    forget,
    json_text,
    page,
    peer_of,
    remember,
)

routes = APIRouter(prefix="/account", include_in_schema=False, route_class=AccountRoute)
FORM = r"^[A-Za-z0-9_-]{43}$"


class Invited(Value):
    """The secret of an invitation's link."""

    secret: str = Field(pattern=FORM)


class Made(Invited):
    """A passkey that was made by invitation, and what its owner calls the device."""

    credential: Credential
    label: str = Field(default="", max_length=60)


class ToProvider(Value):
    """Why one goes to the login provider: with ``secret`` to join, with ``about`` to confirm, or else to enter."""

    secret: str | None = Field(default=None, pattern=FORM)
    about: About | None = None


class Address(Value):
    """Where the browser goes next."""

    address: str


@routes.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """Where people sign in."""
    return page(request, "account_sign_in.html", {})


@routes.get("/join")
def join_page(request: Request) -> Response:
    """Where an invitation leads; its secret stands behind the ``#`` and is read by the page's script alone."""
    return page(request, "account_join.html", {})


@routes.post("/sign-in/options")
def sign_in_options(request: Request, means: With) -> Response:
    """A challenge for any passkey of this site."""
    check_attempt(means, Trying.SIGN_IN, peer_of(request))
    browser = browser_of(request, means)
    answer = json_text(passkeys.ask_options(means, Asked(passkeys.SIGN_IN, kept(browser))))
    remember(answer, BROWSER, browser)
    return answer


@routes.post("/sign-in")
def sign_in(request: Request, credential: Credential, means: With, before: Before = None) -> Response:
    """Sign in with a passkey: a new session, and none of before."""
    person = passkeys.owner_of(means, credential)
    check_attempt(means, Trying.SIGN_IN, peer_of(request), person.id if person else credential.id)
    try:
        asked = Asked(passkeys.SIGN_IN, kept(browser_of(request, means)))
        challenge, _ = passkeys.taken(means, asked, credential)
        with means.store.transaction() as t:
            proven = passkeys.proven(t, means, challenge, credential)
            secret = sessions.begin(t, means, proven, "passkey", before)
    except SaphanError:
        attempts.note_failure(means, person)
        raise
    return _entered(json_text("{}"), secret)


@routes.post("/join/options")
def join_options(request: Request, invited: Invited, means: With) -> Response:
    """Who is invited, and a challenge for a new passkey."""
    check_attempt(means, Trying.INVITATION, peer_of(request), invited.secret)
    given, browser = accounts.invitation(means, invited.secret), browser_of(request, means)
    owner = given.person or accounts.new_person(means)
    asked = Asked(passkeys.MAKE, kept(browser), f"{given.token_hash} {owner}")
    # Passkeys of before end when this one is kept: a device that has one may make another.
    answer = json_text(passkeys.make_options(means, asked, (owner, given.name), ()))
    remember(answer, BROWSER, browser)
    return answer


@routes.post("/join")
def join(request: Request, made: Made, means: With) -> Response:
    """Open an account with a new passkey, or add it to one; the invitation is used up."""
    check_attempt(means, Trying.INVITATION, peer_of(request), made.secret)
    given = accounts.invitation(means, made.secret)
    asked = Asked(passkeys.MAKE, kept(browser_of(request, means)))
    owner = Person("", given.agency, given.name, given.roles)
    key, about = passkeys.made(means, asked, made.credential, owner, made.label)
    token_hash, _, name = about.partition(" ")
    if token_hash != given.token_hash:
        raise Refused("invitation-invalid")

    def keep(t: Transaction, joined: Person) -> bool:
        return people.add_passkey(t, replace(key, person=joined.id))

    secret = accounts.join(means, token_hash, name, "passkey", keep)
    return _entered(json_text("{}"), secret)


@routes.post("/oidc/start")
def oidc_start(request: Request, call: ToProvider, desk: AtAccounts, before: Before = None) -> Response:
    """The address of the login provider for this browser: to sign in, to join by invitation, or to confirm."""
    means = desk.means()
    check_attempt(means, Trying.SIGN_IN, peer_of(request))
    wanted = Wanted("sign-in")
    if call.secret is not None:
        wanted = Wanted("join", accounts.invitation(means, call.secret).token_hash)
    elif call.about is not None:
        me = sessions.who(means, before)
        wanted = Wanted("step-up", digest_about(call.about), me.session.id_hash)
    browser = browser_of(request, means)
    address = oidc.start(means, desk.known_provider(), wanted, browser)
    answer = json_text(Address(address=address).model_dump_json())
    remember(answer, BROWSER, browser)
    return answer


@routes.get("/oidc/callback")
def oidc_callback(
    request: Request, returned: Annotated[Returned, Query()], desk: AtAccounts, before: Before = None
) -> Response:
    """Back from the login provider: signed in, joined, or confirmed."""
    means = desk.means()
    check_attempt(means, Trying.SIGN_IN, peer_of(request))
    try:
        found = oidc.come_back(means, desk.known_provider(), returned, browser_of(request, means))
        if found.wanted.purpose == "step-up":
            return _confirmed(means, sessions.who(means, before), found)
        secret = _joined(means, found) if found.wanted.purpose == "join" else _known(means, found, before)
    except SaphanError:
        attempts.note_failure(means, None)
        raise
    return _entered(back(ACCOUNT), secret)


@routes.get("/confirmed")
def confirmed_page(request: Request) -> Response:
    """Back from a confirmation at the login provider; the page's script goes on where it was."""
    return page(request, "account_confirmed.html", {})


@routes.post("/sign-out")
def sign_out(me: Me, means: With) -> Response:
    """End this session."""
    sessions.sign_out(means, me)
    return _left()


@routes.post("/sign-out-everywhere")
def sign_out_everywhere(me: Me, means: With) -> Response:
    """End every session of this person, at once."""
    sessions.sign_out_everywhere(means, me.person.id)
    return _left()


def _entered(answer: Response, secret: str) -> Response:
    """Signed in: the session's cookie, and nothing left of the way in."""
    remember(answer, SESSION, secret)
    forget(answer, BROWSER, STEP)
    return answer


def _left() -> Response:
    answer = back(SIGN_IN)
    forget(answer, SESSION, BROWSER, STEP)
    return answer


def _known(means: Means, found: Identified, before: str | None) -> str:
    with means.store.transaction() as t:
        person = people.identified(t, found.issuer, found.subject)
        if person is None:
            raise Refused("sign-in-refused")
        return sessions.begin(t, means, person, "oidc", before)


def _joined(means: Means, found: Identified) -> str:
    def keep(t: Transaction, joined: Person) -> bool:
        return people.add_identity(t, found.issuer, found.subject, joined.id)

    return accounts.join(means, found.wanted.about, accounts.new_person(means), "oidc", keep)


def _confirmed(means: Means, me: SignedIn, found: Identified) -> Response:
    with means.store.transaction() as t:
        person = people.identified(t, found.issuer, found.subject)
        if person is None or person.id != me.person.id or found.wanted.session != me.session.id_hash:
            raise Refused("sign-in-refused")
        secret = step_up.keep(t, means, me, found.wanted.about)
    answer = back("/account/confirmed")
    remember(answer, STEP, secret, strict=True)
    return answer
