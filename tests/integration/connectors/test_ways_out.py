"""Where members' programs go: to their gateway and nowhere else, whatever the environment or an answer says."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from typing_extensions import override

from connectors.main import line_of
from connectors.settings import load_settings
from contracts.errors import InvalidInput
from contracts.signature_base import Message
from contracts.transport import ClientFiles
from transport.line import Line
from transport.lines import line_to

pytestmark = pytest.mark.integration

CALL = Message("GET", "/v1/somewhere", {}, b"")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class Elsewhere(BaseHTTPRequestHandler):
    """Answers every call with the way to another place, and counts them."""

    calls: list[str]
    target = ""

    def do_GET(self) -> None:
        self.calls.append(self.path)
        self.send_response(302)
        self.send_header("Location", self.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:  # the library's name
        """Say nothing."""


def serving() -> tuple[HTTPServer, type[Elsewhere]]:
    """A server of its own on any free port."""
    kind = type("Place", (Elsewhere,), {"calls": []})
    server = HTTPServer(("127.0.0.1", 0), kind)
    Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()
    return server, kind


@pytest.fixture
def places() -> Iterator[tuple[HTTPServer, type[Elsewhere], type[Elsewhere]]]:
    """A gateway that sends its callers elsewhere, what it saw, and what the other place saw."""
    (gateway, seen), (other, foreign) = serving(), serving()
    seen.target = f"http://127.0.0.1:{other.server_port}/elsewhere"
    yield gateway, seen, foreign
    for server in (gateway, other):
        server.shutdown()
        server.server_close()


def line(kind: str, address: str) -> Line:
    """The line of a connector, or of whoever asks."""
    if kind == "connector":
        return line_of(load_settings(agency="dop", source="sqlite:///x.db", gateway=address))
    return line_to(address, ClientFiles())


@pytest.mark.parametrize("kind", ["connector", "requester"])
def test_no_answer_and_no_environment_leads_elsewhere(
    kind: str, places: tuple[HTTPServer, type[Elsewhere], type[Elsewhere]], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, seen, foreign = places
    for name in PROXIES:
        monkeypatch.setenv(name, foreign.target or seen.target.removesuffix("/elsewhere"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with line(kind, f"http://127.0.0.1:{gateway.server_port}") as there:
        answer = there.send(CALL, 5.0)

    assert answer.status == 302
    assert seen.calls == ["/v1/somewhere"]
    assert foreign.calls == []


@pytest.mark.parametrize("kind", ["connector", "requester"])
def test_no_program_speaks_plainly_through_a_network(kind: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        line(kind, "http://gateway.example")
    assert caught.value.details["setting"] == "gateway"


def test_a_connectors_proxy_is_the_one_of_its_settings(
    places: tuple[HTTPServer, type[Elsewhere], type[Elsewhere]],
) -> None:
    gateway, seen, foreign = places
    proxy = seen.target.removesuffix("/elsewhere")
    settings = load_settings(
        agency="dop", source="sqlite:///x.db", gateway=f"http://127.0.0.1:{gateway.server_port}", proxy=proxy
    )
    with line_of(settings) as there:
        answer = there.send(CALL, 5.0)
    assert answer.status == 302
    assert seen.calls == []
    assert len(foreign.calls) == 1
