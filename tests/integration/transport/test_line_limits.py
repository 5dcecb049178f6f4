"""Both ways to a gateway, straight and through a proxy, against whoever is slow, endless or odd."""

import gzip
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.errors import Unavailable
from contracts.signature_base import Message
from contracts.transport import ClientFiles
from saphan import dev_ca
from saphan.dev_ca import new_authority
from tests.wire_server import ANSWER, Heard, Script, polite, saying, serving
from transport.line import Line, TooLong
from transport.lines import line_to

pytestmark = pytest.mark.integration

CALL = Message("POST", "/v1/x", {"content-type": "text/plain"}, b"hello")
SECONDS = 5.0
SOON = 0.2
MOST = 1000
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
Way = Callable[[str], Line]


@pytest.fixture(params=["straight", "proxied"])
def way(request: pytest.FixtureRequest) -> Way:
    """Makes a line to a server: to a gateway, or to a proxy that may answer whatever it likes."""
    if request.param == "straight":
        return lambda url: line_to(url, ClientFiles())
    return lambda url: line_to("http://localhost:1", ClientFiles(), proxy=url)


def refused(line: Line, seconds: float = SECONDS, call: Message = CALL) -> float:
    """Send a call that gets no answer; how long that took."""
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        line.send(call, seconds)
    assert caught.value.code == "gateway-unreachable"
    return time.monotonic() - started


def dripping(begins: bytes, drop: bytes) -> Script:
    """Begin an answer and never end it: each drop comes long before anybody's patience with a single one ends."""

    def script(heard: Heard) -> None:
        heard.request()
        heard.say(begins)
        while not heard.over.wait(SOON / 10):
            heard.say(drop)

    return script


def silent(heard: Heard) -> None:
    """Hear a request and say nothing."""
    heard.request()
    heard.over.wait()


def deaf(heard: Heard) -> None:
    """Take a connection and hear nothing."""
    heard.over.wait()


# ------------------------------------------------------------------ time


@pytest.mark.parametrize(
    "script",
    [
        silent,
        dripping(OK, b"x: y\r\n"),
        dripping(b"", b"HTTP/1.1 103 Hints\r\n\r\n"),
        dripping(OK + b"Content-Length: 9999\r\n\r\n", b"x"),
        dripping(CHUNKED, b"1\r\nx\r\n"),
        dripping(CHUNKED + b"1;", b"x"),
    ],
    ids=["silent", "head", "interim", "body", "chunks", "extension"],
)
def test_one_deadline_holds_for_the_whole_answer(way: Way, script: Script) -> None:
    with serving(script) as server, way(server.url) as line:
        assert refused(line, SOON) < 4 * SOON


def test_who_does_not_take_the_request_in_time_is_left(way: Way) -> None:
    with serving(deaf) as server, way(server.url) as line:
        assert refused(line, SOON, Message("POST", "/", {}, b"x" * 2**24)) < 4 * SOON


def test_a_call_whose_time_is_over_is_not_sent(way: Way) -> None:
    with serving(polite) as server, way(server.url) as line:
        refused(line, 0.0)
        line.send(CALL, SECONDS)
        refused(line, 0.0)
    assert sum(len(each.requests) for each in server.taken) == 1


def places(monkeypatch: pytest.MonkeyPatch, *addresses: str, after: float = 0.0) -> None:
    """Let the look-up of ``localhost`` give these addresses, some seconds later."""
    look_up = socket.getaddrinfo

    def found(host: str, port: int, *args: object, **named: object) -> object:
        if host != "localhost":
            return look_up(host, port, *args, **named)  # type: ignore[arg-type]  # as it was called
        time.sleep(after)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def test_the_addresses_of_a_host_are_tried_until_one_answers(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    places(monkeypatch, "127.0.0.2", "127.0.0.1")
    with serving(polite) as server, way(server.url) as line:
        assert line.send(CALL, SECONDS).body == b"ok"


def test_all_addresses_of_a_host_share_one_deadline(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    places(monkeypatch, *["127.0.0.1"] * 10)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), way(f"http://localhost:{port}") as line:
            assert refused(line, SOON) < 4 * SOON


def test_who_is_found_after_the_deadline_is_not_connected_to(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    places(monkeypatch, "127.0.0.1", after=SOON)
    with serving(polite) as server, way(server.url) as line:
        refused(line, SOON)
    assert not server.taken


def test_a_host_without_any_address_is_unreachable(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    places(monkeypatch)
    with way("http://localhost:1") as line:
        refused(line)


# ------------------------------------------------------------------ room


def test_a_body_as_large_as_it_may_be_comes_and_one_byte_more_does_not(way: Way) -> None:
    for size in (MOST, MOST + 1):
        framed = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)
        for answer in (OK + b"Content-Length: %d\r\n\r\n%s" % (size, b"x" * size), CHUNKED + framed):
            with serving(saying(answer)) as server, way(server.url) as line:
                if size == MOST:
                    assert line.send(CALL, SECONDS, MOST).body == b"x" * MOST
                else:
                    with pytest.raises(TooLong, match="gateway-unreachable"):
                        line.send(CALL, SECONDS, MOST)


@pytest.mark.parametrize("most", [MOST, None])
def test_who_never_ends_is_cut_off_where_the_room_ends(way: Way, most: int | None) -> None:
    piece = b"%x\r\n%s\r\n" % (2**16, b"x" * 2**16)
    said: list[int] = []

    def endless(heard: Heard) -> None:
        heard.request()
        heard.say(CHUNKED)
        while True:
            heard.say(piece)
            said.append(len(piece))

    with serving(endless) as server, way(server.url) as line, pytest.raises(TooLong):
        line.send(CALL, 60.0) if most is None else line.send(CALL, 60.0, most)
    # What the network holds between the two comes on top of what was taken.
    assert sum(said) < (2**26 if most is None else 0) + 2**24


def test_a_length_that_is_too_large_is_refused_before_anything_has_come(way: Way) -> None:
    def promising(heard: Heard) -> None:
        heard.request()
        heard.say(OK + b"Content-Length: %d\r\n\r\n" % (MOST + 1))
        heard.over.wait()

    with serving(promising) as server, way(server.url) as line, pytest.raises(TooLong):
        line.send(CALL, SECONDS, MOST)


# ------------------------------------------------------------------ form


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        ANSWER[:10],
        ANSWER[:-1],
        b"garbage\r\n\r\n",
        CHUNKED + b"5\r\nok\r\n0\r\n\r\n",
        OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 22\r\n\r\n" + gzip.compress(b"ok", mtime=0),
        OK + b"Content-Encoding: x\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_what_is_torn_or_packed_is_no_answer_and_its_connection_is_closed(way: Way, answer: bytes) -> None:
    with serving(saying(answer), polite) as server, way(server.url) as line:
        refused(line)
        assert line.send(CALL, SECONDS).body == b"ok"
    assert [len(each.requests) for each in server.taken] == [1, 1]


def test_one_connection_serves_one_call_after_the_other(way: Way) -> None:
    with serving(polite) as server, way(server.url) as line:
        assert [line.send(CALL, SECONDS).body for _ in range(3)] == [b"ok"] * 3
    assert [len(each.requests) for each in server.taken] == [3]


# ------------------------------------------------------------------ past a proxy


def tunnel(folder: Path, script: Script) -> tuple[Script, ClientFiles]:
    """A proxy that opens a tunnel to a gateway over TLS, which does as the script says; what trusts that gateway."""
    authority = new_authority(("localhost",), datetime.now(UTC), 1)
    dev_ca.write(folder, "server", authority.server(("localhost",)), authority.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")

    def opened(heard: Heard) -> None:
        heard.request()
        heard.say(b"HTTP/1.1 200 Connected\r\n\r\n")
        heard.socket = context.wrap_socket(heard.socket, server_side=True)
        with heard.socket:
            script(heard)

    return opened, ClientFiles(folder / "ca.pem")


def test_past_a_proxy_the_gateway_is_talked_to_over_tls(tmp_path: Path) -> None:
    script, files = tunnel(tmp_path, polite)
    with serving(script) as server, line_to("https://localhost:1", files, proxy=server.url) as line:
        assert [line.send(CALL, SECONDS).body for _ in range(2)] == [b"ok"] * 2
    assert server.taken[0].requests[0].startswith(b"CONNECT localhost:1 ")
    assert len(server.taken[0].requests) == 3


def test_past_a_proxy_the_deadline_and_the_room_are_the_same(tmp_path: Path) -> None:
    script, files = tunnel(tmp_path, dripping(CHUNKED, b"64\r\n%s\r\n" % (b"x" * 100)))
    with serving(script) as server, line_to("https://localhost:1", files, proxy=server.url) as line:
        assert refused(line, 2 * SOON) < 6 * SOON
        with pytest.raises(TooLong):
            line.send(CALL, SECONDS, 300)


@pytest.mark.parametrize(
    "script",
    [dripping(OK, b"x: y\r\n"), saying(OK + b"\r\n" + b"no hello"), silent],
    ids=["drips", "no-tls", "silent"],
)
def test_a_proxy_that_opens_no_tunnel_in_time_is_left(tmp_path: Path, script: Script) -> None:
    _, files = tunnel(tmp_path, polite)
    with serving(script) as server, line_to("https://localhost:1", files, proxy=server.url) as line:
        assert refused(line, SOON) < 4 * SOON


def test_a_handshake_past_a_proxy_that_does_not_end_is_left(tmp_path: Path) -> None:
    def mute(heard: Heard) -> None:
        heard.request()
        heard.say(b"HTTP/1.1 200 Connected\r\n\r\n")
        heard.over.wait()

    _, files = tunnel(tmp_path, polite)
    with serving(mute) as server, line_to("https://localhost:1", files, proxy=server.url) as line:
        assert refused(line, SOON) < 4 * SOON
