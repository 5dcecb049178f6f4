"""People's sign-in at somebody else's OpenID Connect provider: npm oidc-provider, through its own pages."""

import json
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2

from contracts.errors import Problem
from contracts.federation import KeyPurpose
from contracts.keys import new_key
from contracts.people import PersonRole
from gateway.main import system_clock
from gateway.people.oidc import CALLBACK, Provider
from tests.factories import ISSUER
from tests.interop.environments import node_environment, say
from tests.login_provider import CLIENT
from tests.people_world import Browser, PeopleWorld, new_people_world
from tests.served_world import free_port

MOST_STEPS = 12


def check() -> int:
    """Join, sign in, confirm, and what is refused; 0 if every step went as it must."""
    node, port = node_environment("oauth"), free_port()
    key, now = new_key("oja#login-1"), system_clock()
    jwk = json.dumps(key.public_key(KeyPurpose.CLIENT, now, now).as_jwk())
    command = ["node", "login.mjs", str(port), CLIENT, f"{ISSUER}{CALLBACK}", jwk]
    with tempfile.TemporaryDirectory() as folder, _program(command, node) as version:
        world = new_people_world(Path(folder))
        world.api.now = now
        provider = Provider(f"http://127.0.0.1:{port}/.well-known/openid-configuration", CLIENT, "RS256", key)
        world.api.app.state.accounts = replace(world.api.app.state.accounts, provider=provider)
        steps = _steps(world)
    failed = [name for name, held in steps.items() if not held]
    verdict = f"FAILED: {', '.join(failed)}" if failed else f"sign-in of people: {len(steps)} steps hold"
    say("oidc-provider", version, verdict)
    return 1 if failed else 0


def _steps(world: PeopleWorld) -> dict[str, bool]:
    steps, person = {}, Visitor("somsri")
    browser = world.browser()
    joined = person.back_with(browser, {"secret": world.invited(PersonRole.STEWARD)})
    steps["an invited person joins"] = joined.status_code == httpx2.codes.SEE_OTHER and browser.is_signed_in
    again = world.browser()
    steps["and signs in"] = person.back_with(again, {}).status_code == httpx2.codes.SEE_OTHER and again.is_signed_in
    stranger = world.browser()
    steps["a stranger does not"] = _code(Visitor("somchai").back_with(stranger, {})) == "sign-in-refused"
    order = {"act": "invite", "agency": "ccib", "person": None, "roles": ["analyst"], "name": "ก"}
    world.api.now = system_clock()
    confirmed = person.back_with(browser, {"about": {"order": order}})
    steps["confirms by signing in anew"] = confirmed.headers.get("location") == "/account/confirmed"
    steps["and not by the session that it has there"] = person.forms_of_last == ["login"]
    steps["for exactly that"] = browser.post("/people", order).is_success
    code = parse_qs(urlsplit(person.last).query)["code"][0]
    address = person.visit(browser.post("/oidc/start", {}).json()["address"])
    fresh = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    replayed = browser.http.get(CALLBACK, params={**fresh, "code": code}, follow_redirects=False)
    steps["a code is good once"] = _code(replayed) == "login-provider-refused"
    forged = browser.http.get(CALLBACK, params={**fresh, "state": "forged"}, follow_redirects=False)
    steps["a forged state is refused"] = _code(forged) == "login-provider-refused"
    return steps


@dataclass
class Visitor:
    """Somebody's browser at the provider: fills in its pages, and keeps what they were."""

    name: str
    last: str = ""

    def __post_init__(self) -> None:
        self.http = httpx2.Client(trust_env=False)
        self.forms_of_last: list[str] = []

    def back_with(self, browser: Browser, call: dict[str, object]) -> httpx2.Response:
        """Go to the provider as the gateway says, and come back to it."""
        address = browser.post("/oidc/start", call).json()["address"]
        self.last = self.visit(address)
        parts = urlsplit(self.last)
        return browser.http.get(f"{parts.path}?{parts.query}", follow_redirects=False)

    def visit(self, address: str) -> str:
        """Follow the provider's pages until they lead back to the gateway."""
        self.forms_of_last = []
        answer = self.http.get(address)
        for _ in range(MOST_STEPS):
            if answer.is_redirect:
                address = urljoin(address, answer.headers["location"])
                if address.startswith(ISSUER):
                    return address
                answer = self.http.get(address)
                continue
            found = re.search(r'action="([^"]+)".*?name="prompt" value="(\w+)"', answer.text, re.DOTALL)
            if found is None:
                raise RuntimeError(f"a page that is no form: {answer.status_code}")
            self.forms_of_last.append(found[2])
            address = urljoin(address, found[1])
            answer = self.http.post(address, data={"prompt": found[2], "login": self.name, "password": "any"})
        raise RuntimeError("the provider leads nowhere")


def _code(answer: httpx2.Response) -> str:
    try:
        return Problem.model_validate_json(answer.content).code
    except ValueError:
        return ""


@contextmanager
def _program(command: list[str], folder: Path) -> Iterator[str]:
    """A program that says "ready VERSION" and runs until the end of the block."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None  # it is a pipe
            word, _, version = process.stdout.readline().strip().partition(" ")
            if word != "ready":
                raise RuntimeError("the provider did not start")
            yield version
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
