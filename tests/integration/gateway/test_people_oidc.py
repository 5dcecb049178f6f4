"""Sign-in at a login provider over real HTTP: an honest one lets people in, one that lies lets in nobody."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from joserfc.jwk import ECKey, RSAKey

from contracts.federation import KeyPurpose
from contracts.keys import new_key
from contracts.people import PersonRole
from contracts.transparency import EventKind
from gateway.people import oidc
from gateway.people.oidc import Provider
from tests import factories
from tests.api_world import problem_in
from tests.login_provider import CLIENT, SECRET, LoginProvider, by_secret, serving
from tests.people_world import Browser, PeopleWorld, new_people_world

pytestmark = pytest.mark.integration

KEY = new_key("oja#login-1")
PUBLIC = KEY.public_key(KeyPurpose.OFFICER, factories.NOW, factories.NOW).as_jwk()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> PeopleWorld:
    return new_people_world(tmp_path_factory.mktemp("people"))


@pytest.fixture
def world(kept: PeopleWorld) -> Iterator[PeopleWorld]:
    yield kept
    kept.api.later(9 * 3600)


@pytest.fixture
def provider(world: PeopleWorld) -> Iterator[LoginProvider]:
    made = LoginProvider(ECKey.import_key({k: v for k, v in PUBLIC.items() if k != "alg"}))
    made.now = lambda: world.api.now.timestamp()  # noqa: PLW0108  # the clock goes on
    with serving(made) as running:
        at(world, Provider(running.metadata_url, CLIENT, "RS256", KEY))
        yield running


def at(world: PeopleWorld, known: Provider) -> None:
    """Let the gateway know this provider."""
    world.api.app.state.accounts = replace(world.api.app.state.accounts, provider=known)


def to_provider(browser: Browser, **call: object) -> str:
    answer = browser.post("/oidc/start", call)
    assert answer.status_code == 200, answer.text
    address: str = answer.json()["address"]
    return address


def back(browser: Browser, address: str, **headers: str) -> httpx2.Response:
    """Follow the provider's redirect into the gateway."""
    parts = urlsplit(address)
    return browser.get(f"{parts.path.removeprefix('/account')}?{parts.query}", **headers)


def joined(world: PeopleWorld, provider: LoginProvider, *roles: PersonRole) -> Browser:
    """Somebody whose account is opened at the provider."""
    browser = world.browser()
    provider.subject = f"person-{world.means.entropy(6).hex()}"
    address = to_provider(browser, secret=world.invited(*(roles or (PersonRole.OFFICER,))))
    answer = back(browser, provider.visit(address))
    assert answer.headers["location"] == "/account"
    return browser


def refused(answer: httpx2.Response) -> None:
    """A bad request with a stable code; never a defect, and not a word of the provider's."""
    assert answer.status_code == 400
    problem = problem_in(answer)
    assert problem.code == "login-provider-refused"
    assert "secret words" not in answer.text
    assert "__Host-saphan=" not in answer.headers.get("set-cookie", "")


def test_somebody_who_is_invited_joins_and_signs_in_at_the_provider(
    world: PeopleWorld, provider: LoginProvider
) -> None:
    joined(world, provider)
    browser = world.browser()

    answer = back(browser, provider.visit(to_provider(browser)))

    assert answer.status_code == 303
    assert browser.is_signed_in
    assert world.entries(EventKind.PERSON_SIGNED_IN)[-1].facts["method"] == "oidc"
    assert provider.asked[-1]["scope"] == "openid"
    assert len(provider.asked[-1]["nonce"]) == 43


def test_a_client_secret_does_where_there_is_no_key(world: PeopleWorld, provider: LoginProvider) -> None:
    provider.client_key = None
    at(world, Provider(provider.metadata_url, CLIENT, "RS256", None, SECRET))

    assert joined(world, provider).is_signed_in


def test_another_pinned_algorithm_does_too(world: PeopleWorld, provider: LoginProvider) -> None:
    provider.algorithm, provider.key = "ES256", ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
    at(world, Provider(provider.metadata_url, CLIENT, "ES256", KEY))

    assert joined(world, provider).is_signed_in


def test_whoever_is_not_invited_gets_in_nowhere(world: PeopleWorld, provider: LoginProvider) -> None:
    browser = world.browser()
    provider.subject = "a stranger"

    answer = back(browser, provider.visit(to_provider(browser)), accept="application/json")

    assert problem_in(answer).code == "sign-in-refused"
    assert not browser.is_signed_in


def test_the_same_subject_at_another_issuer_is_somebody_else(world: PeopleWorld, provider: LoginProvider) -> None:
    joined(world, provider)
    with serving(LoginProvider(provider.client_key, provider.subject, provider.now)) as other:
        at(world, Provider(other.metadata_url, CLIENT, "RS256", KEY))
        browser = world.browser()

        answer = back(browser, other.visit(to_provider(browser)), accept="application/json")

    assert problem_in(answer).code == "sign-in-refused"


def test_one_subject_opens_one_account_only(world: PeopleWorld, provider: LoginProvider) -> None:
    joined(world, provider)
    browser = world.browser()
    address = to_provider(browser, secret=world.invited(PersonRole.STEWARD))

    answer = back(browser, provider.visit(address), accept="application/json")

    assert problem_in(answer).code == "passkey-not-accepted"


LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another nonce": lambda c: c | {"nonce": "another"},
    "no nonce": lambda c: {k: v for k, v in c.items() if k != "nonce"},
    "another audience": lambda c: c | {"aud": "another"},
    "one audience too many": lambda c: c | {"aud": [CLIENT, "another"], "azp": CLIENT},
    "no audience": lambda c: {k: v for k, v in c.items() if k != "aud"},
    "another party": lambda c: c | {"azp": "another"},
    "another issuer": lambda c: c | {"iss": "https://evil.example"},
    "expired": lambda c: c | {"exp": c["iat"] - 120},
    "no end": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "from the future": lambda c: c | {"iat": c["iat"] + 3600},
    "issued long ago": lambda c: c | {"iat": c["iat"] - 3600},
    "not yet valid": lambda c: c | {"nbf": c["iat"] + 3600},
    "no subject": lambda c: {k: v for k, v in c.items() if k != "sub"},
    "an empty subject": lambda c: c | {"sub": ""},
    "a number as subject": lambda c: c | {"sub": 17},
    "a subject without end": lambda c: c | {"sub": "x" * 256},
    "another access token": lambda c: c | {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_an_id_token_that_lies_signs_nobody_in(
    world: PeopleWorld, provider: LoginProvider, lie: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    joined(world, provider)
    provider.bend = lie
    browser = world.browser()

    refused(back(browser, provider.visit(to_provider(browser)), accept="application/json"))


def test_an_id_token_by_no_key_another_key_or_another_algorithm_signs_nobody_in(
    world: PeopleWorld, provider: LoginProvider
) -> None:
    joined(world, provider)
    stranger = LoginProvider(key=RSAKey.generate_key(2048, {"kid": "one"}))
    for sign in (provider.unsigned, provider.by_its_public_key, stranger.signed, lambda _: "no token"):
        provider.sign = sign
        browser = world.browser()
        refused(back(browser, provider.visit(to_provider(browser)), accept="application/json"))


def test_the_provider_s_own_other_algorithm_is_refused(world: PeopleWorld, provider: LoginProvider) -> None:
    joined(world, provider)
    provider.algorithm = "PS256"
    browser = world.browser()

    refused(back(browser, provider.visit(to_provider(browser)), accept="application/json"))


def test_a_secret_among_the_provider_s_public_keys_is_not_taken(world: PeopleWorld, provider: LoginProvider) -> None:
    at(world, Provider(provider.metadata_url, CLIENT, "HS256", KEY))
    provider.sign = lambda claims: by_secret(claims, b"secret")
    provider.jwks = {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}
    browser = world.browser()

    refused(back(browser, provider.visit(to_provider(browser)), accept="application/json"))


def test_a_code_is_good_once(world: PeopleWorld, provider: LoginProvider) -> None:
    joined(world, provider)
    browser = world.browser()
    address = provider.visit(to_provider(browser))
    code = parse_qs(urlsplit(address).query)["code"][0]
    assert back(browser, address).status_code == 303

    refused(back(browser, address, accept="application/json"))  # its state is used, too
    other = world.browser()
    fresh = parse_qs(urlsplit(provider.visit(to_provider(other))).query)
    again = urlencode({"code": code, "state": fresh["state"][0], "iss": provider.address})
    refused(other.get(f"/oidc/callback?{again}", accept="application/json"))


def test_a_code_of_another_browser_s_sign_in_is_refused(world: PeopleWorld, provider: LoginProvider) -> None:
    """Login CSRF: the attacker's own code and state in the victim's browser."""
    joined(world, provider)
    attacker, victim = world.browser(), world.browser()
    address = provider.visit(to_provider(attacker))
    to_provider(victim)

    refused(back(victim, address, accept="application/json"))
    assert not victim.is_signed_in


def test_a_code_is_bound_to_the_verifier_of_its_own_sign_in(world: PeopleWorld, provider: LoginProvider) -> None:
    joined(world, provider)
    browser = world.browser()
    stolen = parse_qs(urlsplit(provider.visit(to_provider(browser))).query)["code"][0]
    own = parse_qs(urlsplit(provider.visit(to_provider(browser))).query)

    query = urlencode({"code": stolen, "state": own["state"][0], "iss": provider.address})
    refused(browser.get(f"/oidc/callback?{query}", accept="application/json"))


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "forged"},
        {"state": None},
        {"code": None},
        {"error": "access_denied", "error_description": "secret words"},
        {"iss": "https://evil.example"},
        {"iss": None},
    ],
    ids=lambda changes: "-".join(f"{k}={v}" for k, v in changes.items()),
)
def test_what_comes_back_is_checked_before_the_provider_is_asked(
    world: PeopleWorld, provider: LoginProvider, changes: dict[str, str | None]
) -> None:
    browser = world.browser()
    address = provider.visit(to_provider(browser))
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()} | changes
    known = {name: value for name, value in query.items() if value is not None}

    refused(browser.get(f"/oidc/callback?{urlencode(known)}", accept="application/json"))
    assert provider.exchanges == 0


def test_a_state_is_good_for_ten_minutes(world: PeopleWorld, provider: LoginProvider) -> None:
    browser = world.browser()
    address = provider.visit(to_provider(browser))
    world.api.now += oidc.COMES_BACK_WITHIN

    refused(back(browser, address, accept="application/json"))


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "http://evil.example/jwks"},
        {"authorization_endpoint": None},
    ],
    ids=["issuer", "token endpoint", "keys", "nothing"],
)
def test_metadata_that_are_not_the_provider_s_own_are_refused(
    world: PeopleWorld, provider: LoginProvider, metadata: dict[str, object]
) -> None:
    provider.metadata = metadata

    answer = world.browser().post("/oidc/start", {})

    assert answer.status_code in {400, 422}
    assert problem_in(answer).code in {"login-provider-refused", "setting-invalid"}


def test_a_provider_that_does_not_answer_or_answers_nonsense_is_no_defect(
    world: PeopleWorld, provider: LoginProvider
) -> None:
    browser = world.browser()
    address = provider.visit(to_provider(browser))
    provider.broken = "/jwks"
    assert problem_in(back(browser, address, accept="application/json")).code == "login-provider-unreachable"
    provider.broken = "/.well-known/openid-configuration"
    assert problem_in(browser.post("/oidc/start", {})).code == "login-provider-unreachable"
    provider.broken, provider.metadata = "", {"more": "x" * oidc.MOST_BYTES}
    assert problem_in(browser.post("/oidc/start", {})).code == "login-provider-unreachable"
    provider.broken = "json"
    assert problem_in(browser.post("/oidc/start", {})).code == "login-provider-refused"
    at(world, Provider("http://127.0.0.1:9/.well-known/openid-configuration", CLIENT, "RS256", KEY))
    assert problem_in(browser.post("/oidc/start", {})).code == "login-provider-unreachable"


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [("", "login-provider-refused"), ("http://127.0.0.1:9/token", "login-provider-unreachable")],
    ids=["refuses", "is down"],
)
def test_a_token_endpoint_that_fails_is_no_defect(
    world: PeopleWorld, provider: LoginProvider, endpoint: str, code: str
) -> None:
    browser = world.browser()
    address = provider.visit(to_provider(browser))
    provider.codes.clear()
    provider.metadata = {"token_endpoint": endpoint or f"{provider.address}/token"}

    answer = back(browser, address, accept="application/json")

    assert problem_in(answer).code == code


def test_a_step_up_asks_for_a_new_authentication_and_believes_no_old_one(
    world: PeopleWorld, provider: LoginProvider
) -> None:
    browser = joined(world, provider, PersonRole.STEWARD)
    order = {"act": "invite", "agency": "ccib", "person": None, "roles": ["analyst"], "name": "ก"}
    assert problem_in(browser.post("/step-up/options", {"order": order})).code == "step-up-missing"

    answer = back(browser, provider.visit(to_provider(browser, about={"order": order})))

    assert answer.headers["location"] == "/account/confirmed"
    assert provider.asked[-1]["prompt"] == "login"
    assert provider.asked[-1]["max_age"] == "0"
    assert browser.post("/people", order).status_code == 200

    for lie in (lambda c: c | {"auth_time": c["iat"] - 600}, lambda c: c | {"auth_time": None}):
        provider.bend = lie
        refused(back(browser, provider.visit(to_provider(browser, about={"order": order})), accept="application/json"))
        assert problem_in(browser.post("/people", order)).code == "step-up-missing"


def test_nobody_confirms_as_somebody_else_or_for_another_session(world: PeopleWorld, provider: LoginProvider) -> None:
    joined(world, provider)
    stranger = provider.subject
    browser = joined(world, provider, PersonRole.STEWARD)
    own = provider.subject
    about = {"digest": f"sha-256:{'b' * 64}"}

    provider.subject = stranger
    answer = back(browser, provider.visit(to_provider(browser, about=about)), accept="application/json")
    assert problem_in(answer).code == "sign-in-refused"

    provider.subject = own
    address = provider.visit(to_provider(browser, about=about))
    kept_cookie = browser.http.cookies["__Host-saphan-browser"]
    back(browser, provider.visit(to_provider(browser)))  # signs in anew: another session
    browser.http.cookies.set("__Host-saphan-browser", kept_cookie)
    answer = back(browser, address, accept="application/json")
    assert problem_in(answer).code == "sign-in-refused"
