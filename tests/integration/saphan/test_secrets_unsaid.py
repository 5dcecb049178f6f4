"""No log and no error of a program holds a token, a key, a password or a cookie, whatever is sent to it."""

import re
import traceback
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from gateway.agreement_calls import everything
from gateway.client import Gateway
from saphan.__main__ import command_line
from tests.served_world import Served, served_gateway
from transport.proxied import ClientLine

pytestmark = pytest.mark.integration

PERSON = "1101700203451"
PASSWORD = "hunter2-of-the-database"  # noqa: S105  # made up
COOKIE = "cookie-of-somebody"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJlLW9mLXNvbWVib2R5"  # noqa: S105  # made up
FORGED = f"{PERSON}\x1b[31m\u2028"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "gateway.txt"


@pytest.fixture(scope="module")
def served(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with log.open("wb") as stream, served_gateway(tmp_path_factory.mktemp("secrets") / "home", stream) as started:
        yield started


def attacks(url: str) -> list[str]:
    """What a gateway answers to calls full of things that are nobody's business."""
    secret = {"authorization": f"Bearer {TOKEN}", "cookie": f"__Host-saphan={COOKIE}", "dpop": TOKEN}
    form = {"grant_type": "client_credentials", "client_assertion": TOKEN, "client_secret": PASSWORD}
    with httpx2.Client(base_url=url, trust_env=False, timeout=30) as http:
        calls = [
            http.get("/v1/budget", headers=secret),
            http.get("/v1/budget", headers={"authorization": f"DPoP {TOKEN}", "dpop": TOKEN}),
            http.get("/v1/budget", headers={"authorization": f"Basic {PASSWORD}"}),
            http.post("/v1/requests", headers=secret, content=f'{{"{PERSON}": "{PASSWORD}"}}'),
            http.post("/v1/token", data=form),
            http.post(
                "/v1/token", content=FORGED.encode(), headers={"content-type": "application/x-www-form-urlencoded"}
            ),
            http.post("/v1/token", content=PASSWORD.encode()),
            http.get(f"/v1/{PERSON}", params={"password": PASSWORD}),
            http.get("/", params={"lang": PERSON, "group": PASSWORD}, headers=secret),
            http.get("/v1/releases", params={"limit": PASSWORD}),
            http.post("/v1/tasks/x/part", headers={**secret, "content-encoding": "gzip"}, content=PASSWORD.encode()),
            http.request("CONNECT", f"/{PASSWORD}", headers=secret),
            http.get("/", headers={"host": f"{COOKIE}.example"}),
            http.get("/", headers={"x": PASSWORD * 3000}),
        ]
    return [f"{answer.headers} {answer.text}" for answer in calls]


def test_nothing_secret_that_is_sent_is_logged_or_answered(served: Served, log: Path) -> None:
    answers = attacks(served.url)
    tokens: set[str] = set()

    def note(request: httpx2.Request) -> None:
        tokens.update(
            request.headers[name].rpartition(" ")[2] for name in ("authorization", "dpop") if name in request.headers
        )

    line = ClientLine(httpx2.Client(base_url=served.url, trust_env=False, event_hooks={"request": [note]}))
    with Gateway(served.url, served.keys["oja#client-1"], "oja", served.keys.federation, line=line) as gateway:
        assert everything(gateway) == ()

    assert len(tokens) >= 2
    written = log.read_text("utf-8")
    secrets = {PERSON, PASSWORD, COOKIE, TOKEN, "c2lnbmF0dXJlLW9mLXNvbWVib2R5", *tokens}
    assert not [secret for secret in secrets if secret in written]
    assert not [(secret, each) for secret in secrets for each in answers if secret in each]
    assert not re.search(r"eyJ[A-Za-z0-9_-]{8}|PRIVATE KEY", written)
    assert all(line.isprintable() for line in written.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        ("gateway", "migrate"),
        ("gateway", "serve"),
        ("connector", "refresh"),
        ("connector", "serve"),
        ("preview", "--agreement", "a", "--activity", "b", "--from", "2025-01-01", "--until", "2025-02-01"),
    ],
    ids=" ".join,
)
def test_a_program_that_cannot_start_does_not_say_why_by_a_password(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    home = tmp_path / "home"
    (home / "secrets").mkdir(parents=True)
    (home / "keys").mkdir()
    address = f"postgresql+psycopg://saphan:{PASSWORD}@127.0.0.1:1/saphan?connect_timeout=1"
    whose = arguments[0] == "gateway"
    (home / "saphan.toml").write_text("" if whose else 'agency = "oja"\ngateway = "http://localhost:1"\n')
    (home / "secrets" / ("saphan_database_url" if whose else "saphan_source")).write_text(address)
    done = CliRunner().invoke(command_line(arguments), [*arguments, "--home", str(home)])
    said = done.output + "".join(traceback.format_exception(done.exception))
    assert done.exit_code != 0
    assert PASSWORD not in said
