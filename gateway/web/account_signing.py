"""Pages on which officers make their own keys, read agreements and sign: the private half never leaves the browser."""

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose
from contracts.identifiers import Identifier, KeyId
from contracts.lifecycle import NEEDS_REASON, Because
from contracts.values import Value
from contracts.views import SignedText
from gateway import agreements
from gateway.letters.letter import compose
from gateway.letters.papers import papers_of
from gateway.people import acts, own_keys
from gateway.people.roles import May, check_may
from gateway.store import registry
from gateway.web.account_route import AccountRoute, Me, Step, With, json_text, page
from gateway.web.thai import BANGKOK

routes = APIRouter(prefix="/account", include_in_schema=False, route_class=AccountRoute)


class Wish(Value):
    """What a new key shall sign."""

    purpose: KeyPurpose


class KeyName(Value):
    """The name of a key."""

    kid: KeyId


class SignedActs(Value):
    """A signed act; with ``approve`` and ``sign`` the agreement's text under the same key's signature."""

    act: str = Field(max_length=20_000)
    document: str | None = Field(default=None, max_length=700_000)


@routes.get("/keys")
def keys_page(request: Request, me: Me, means: With) -> Response:
    """One's own keys: which were asked for, and which the federation has."""
    check_may(me.person.roles, May.REQUEST_KEYS)
    names = {"keys": own_keys.keys_of(means, me.person), "purposes": own_keys.purposes_of(me.person)}
    return page(request, "account_keys.html", names, me)


@routes.post("/keys/name")
def key_name(wish: Wish, me: Me, means: With) -> Response:
    """The name that a new key will have."""
    check_may(me.person.roles, May.REQUEST_KEYS)
    return json_text(KeyName(kid=own_keys.next_kid(means, me.person, wish.purpose)).model_dump_json())


@routes.post("/keys")
def ask_for_key(request_of_key: SignedText, me: Me, means: With, step: Step = None) -> Response:
    """Keep a request to register a key, as the key has signed it and this person has confirmed."""
    asked = own_keys.ask(means, me, step, request_of_key.document)
    return json_text(KeyName(kid=asked.asked.kid).model_dump_json())


@routes.get("/agreements")
def agreements_page(request: Request, me: Me, means: With) -> Response:
    """The agreements that the agency sees."""
    check_may(me.person.roles, May.READ_AGREEMENTS)
    found = agreements.everything(means, me.person.agency)
    return page(request, "account_agreements.html", {"agreements": tuple(reversed(found))}, me)


@routes.get("/agreements/{name}/{version}")
def agreement_page(request: Request, name: Identifier, version: int, me: Me, means: With) -> Response:
    """One version in the letter's words, with its exact text, and the acts that this person's key may sign."""
    check_may(me.person.roles, May.READ_AGREEMENTS)
    versions = agreements.versions(means, me.person.agency, name)
    view = next((each for each in versions if each.agreement.version == version), None)
    if view is None:
        raise InvalidInput("unknown-agreement", agreement=name)
    with means.store.read() as r:
        contracts = registry.all_contracts(r)
    letter = compose(papers_of(view, contracts, means.federation), means.clock().astimezone(BANGKOK).date())
    keys = [each.registered.kid for each in own_keys.keys_of(means, me.person) if each.registered]
    names = {
        "view": view,
        "letter": letter,
        "text": canonical_bytes(view.agreement).decode(),
        "keys": keys,
        "needs_reason": NEEDS_REASON,
        "reasons": tuple(Because),
        "instant": means.clock(),
    }
    return page(request, "account_agreement.html", names, me)


@routes.post("/agreements/{name}/acts")
def act_on_agreement(name: Identifier, signed: SignedActs, me: Me, means: With, step: Step = None) -> Response:
    """Bring an act that this person's key has signed in the browser, after the step-up for exactly this act."""
    view = acts.act(means, me, step, (signed.act, signed.document), name)
    return json_text(view.model_dump_json(by_alias=True))
