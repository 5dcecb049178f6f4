"""A gateway with people: browsers that keep cookies, send their origin, and hold authenticators."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from starlette.testclient import TestClient

from contracts.canonical import digest_of, digest_of_bytes
from contracts.people import PersonRole
from contracts.signing import payload_of
from contracts.transparency import EventKind, LogEntry
from gateway.means import Means
from gateway.people import accounts
from gateway.people.accounts import Guest
from gateway.people.roles import Giver
from gateway.store import log
from tests.api_world import ApiWorld
from tests.authenticator import Authenticator
from tests.factories import ISSUER

HOST = "gateway.example"
OPERATOR = Giver("oja", frozenset({PersonRole.OPERATOR}))
STEWARD = Giver("ccib", frozenset({PersonRole.STEWARD}))


@dataclass
class Browser:
    """One browser of one person; ``origin`` is what it says of its page."""

    http: TestClient
    origin: str | None = ISSUER
    device: Authenticator = field(default_factory=lambda: Authenticator(ISSUER, HOST))

    def post(self, path: str, body: object = None, **headers: str) -> httpx2.Response:
        """Send JSON as the page's script does."""
        said = {"origin": self.origin} if self.origin else {}
        return self.http.post(f"/account{path}", json=body or {}, headers={**said, **headers}, follow_redirects=False)

    def get(self, path: str = "", **headers: str) -> httpx2.Response:
        """Open a page."""
        return self.http.get(f"/account{path}", headers={"accept": "text/html", **headers}, follow_redirects=False)

    def join(self, secret: str) -> httpx2.Response:
        """Accept an invitation with the device's passkey."""
        options = self.post("/join/options", {"secret": secret})
        if not options.is_success:
            return options
        made = self.device.make(options.json())
        return self.post("/join", {"secret": secret, "credential": made, "label": "phone"})

    def sign_in(self) -> httpx2.Response:
        """Sign in with the device's passkey."""
        return self.post("/sign-in", self.device.answer(self.post("/sign-in/options").json()))

    def confirm(self, about: dict[str, Any]) -> httpx2.Response:
        """Confirm something with the device's passkey."""
        options = self.post("/step-up/options", about)
        return self.post("/step-up", self.device.answer(options.json())) if options.is_success else options

    def order(self, **order: object) -> httpx2.Response:
        """Confirm and send an order about people."""
        whole = {"agency": "ccib", "person": None, "roles": [], "name": ""} | order
        confirmed = self.confirm({"order": whole})
        return self.post("/people", whole) if confirmed.is_success else confirmed

    def give_up(self, passkey: str) -> httpx2.Response:
        """Confirm and send that a passkey is revoked."""
        given_up = {"passkey": passkey}
        confirmed = self.confirm({"digest": digest_of(given_up)})
        return self.post("/passkeys/revoke", given_up) if confirmed.is_success else confirmed

    def ask_for_key(self, document: str) -> httpx2.Response:
        """Confirm and send a request to register a key."""
        confirmed = self.confirm({"digest": digest_of_bytes(payload_of(document))})
        return self.post("/keys", {"document": document}) if confirmed.is_success else confirmed

    @property
    def is_signed_in(self) -> bool:
        """Whether the account's page opens."""
        return self.get().status_code == httpx2.codes.OK


@dataclass
class PeopleWorld:
    """The gateway of ``ApiWorld`` and the browsers of its people."""

    api: ApiWorld

    @property
    def means(self) -> Means:
        """The gateway's surroundings."""
        return self.api.desk.exchange.means

    def browser(self, device: Authenticator | None = None, origin: str | None = ISSUER) -> Browser:
        """A fresh browser."""
        http = TestClient(self.api.app, base_url=ISSUER, raise_server_exceptions=False)
        return Browser(http, origin, device or Authenticator(ISSUER, HOST))

    def invited(self, *roles: PersonRole, agency: str = "ccib", giver: Giver = STEWARD, name: str = "สมศรี ใจดี") -> str:
        """The secret of a fresh invitation."""
        return accounts.invite(self.means, giver, Guest(agency, name, frozenset(roles))).secret

    def person(self, *roles: PersonRole, agency: str = "ccib", giver: Giver | None = None) -> Browser:
        """Somebody with an account, signed in with a passkey."""
        browser = self.browser()
        by = giver or (Giver(agency, frozenset({PersonRole.STEWARD})))
        joined = browser.join(self.invited(*roles, agency=agency, giver=by))
        assert joined.status_code == httpx2.codes.OK, joined.text
        return browser

    def entries(self, kind: EventKind) -> list[LogEntry]:
        """The log's entries of a kind."""
        with self.means.store.read() as r:
            read = [LogEntry.model_validate_json(text) for text in log.entries(r, 0, log.head(r).size)]
        return [each for each in read if each.kind is kind]

    def id_of(self, name: str, agency: str = "ccib") -> str:
        """The identifier of the person of that name."""
        return next(each.id for each in accounts.everybody(self.means, agency) if each.name == name)


def new_people_world(folder: Path) -> PeopleWorld:
    """A gateway that nobody has an account at."""
    return PeopleWorld(ApiWorld(folder / "gateway"))
