"""Connections that take their time, or of which there are too many, do not keep others from the gateway."""

import logging
import time
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest

from gateway.edges.limits import Limits
from gateway.edges.proxies import Proxies
from gateway.edges.server import Listening
from tests.edge_world import ISSUER, EdgeWorld, Line, listening

pytestmark = pytest.mark.integration

GET = b"GET /page HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /page HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
QUICK = Limits(
    header_seconds=0.3,
    body_seconds=0.3,
    body_bytes_per_second=10_000,
    idle_seconds=0.4,
    stall_seconds=0.3,
    linger_seconds=0.1,
    connections=6,
    connections_per_peer=4,
)


@pytest.fixture(scope="module")
def edge() -> Iterator[EdgeWorld]:
    with listening(Listening(ISSUER, "127.0.0.1", 0, limits=QUICK)) as world:
        yield world


@pytest.fixture(autouse=True)
def _alone(edge: EdgeWorld) -> None:
    """Wait until the connections of the test before are gone."""
    edge.noted.scopes.clear()
    edge.noted.bodies.clear()
    deadline = time.monotonic() + 5
    while edge.say(GET + b"Connection: close\r\n\r\n").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    edge.noted.bodies.clear()


def drip(line: Line, piece: bytes, seconds: float) -> None:
    """Send the piece again and again, ten times a second."""
    for _ in range(int(seconds * 20)):
        line.send(piece)
        time.sleep(0.05)


def test_a_header_that_drips_is_ended(edge: EdgeWorld) -> None:
    with edge.line() as line:
        line.send(GET)
        drip(line, b"X: 1\r\n", 0.6)
        answer = line.rest()
    assert answer.told == (408, "request-too-slow")
    assert edge.noted.bodies == []


def test_the_second_header_of_a_connection_has_no_more_time(edge: EdgeWorld) -> None:
    with edge.line() as line:
        line.send(GET + b"\r\n")
        assert line.until(b"ok").endswith(b"ok")
        line.send(GET)
        drip(line, b"X: 1\r\n", 0.6)
        assert line.rest().told == (408, "request-too-slow")


@pytest.mark.parametrize("head", [POST + b"Content-Length: 1000\r\n\r\n", CHUNKED], ids=["length", "chunked"])
def test_a_body_that_drips_is_ended(edge: EdgeWorld, head: bytes) -> None:
    with edge.line() as line:
        line.send(head)
        drip(line, b"x" if b"Length" in head else b"1\r\nx\r\n", 0.6)
        answer = line.rest()
    assert answer.told == (408, "request-too-slow")
    assert edge.noted.bodies == []


def test_a_body_that_comes_as_fast_as_it_must_may_take_longer(edge: EdgeWorld) -> None:
    with edge.line() as line:
        line.send(POST + b"Content-Length: 20000\r\nConnection: close\r\n\r\n")
        drip(line, b"x" * 1000, 1.0)
        assert line.rest().status == 200
    assert len(edge.noted.bodies[0]) == 20_000


def test_a_sender_is_not_blamed_while_the_gateway_does_not_read() -> None:
    limits = QUICK.model_copy(update={"body_bytes_per_second": 2**30})
    busy = POST.replace(b"page", b"busy") + b"Content-Length: 900000\r\nConnection: close\r\n\r\n"
    with listening(Listening(ISSUER, "127.0.0.1", 0, limits=limits)) as world:
        assert world.say(busy, b"x" * 900_000).status == 200
        assert len(world.noted.bodies[0]) == 900_000


def test_a_connection_that_waits_is_closed(edge: EdgeWorld) -> None:
    with edge.line() as line:
        answer = line.rest()
    assert answer.raw == b""
    assert 0.3 < answer.seconds < 3
    with edge.line() as line:
        line.send(GET + b"\r\n")
        assert line.until(b"ok").endswith(b"ok")
        assert line.rest().raw == b""


def test_empty_lines_do_not_keep_a_connection(edge: EdgeWorld) -> None:
    with edge.line() as line:
        drip(line, b"\r\n", 1.0)
        assert line.rest().raw == b""


def test_who_does_not_read_his_answer_is_cut_off(edge: EdgeWorld) -> None:
    with edge.line() as line:
        line.send(GET.replace(b"page", b"large") + b"\r\n")
        time.sleep(1.2)
        answer = line.rest()
    assert 0 < len(answer.raw) < 2**25


def test_a_refused_sender_who_goes_on_is_heard_no_more_and_cut_off(
    edge: EdgeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    with edge.line() as line:
        assert line.say(b"GET /page HTTP/0.9\r\n\r\n").told == (505, "request-unclear")
        deadline = time.monotonic() + 5
        while line.send(b"x"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_one_peer_has_no_more_than_its_connections(edge: EdgeWorld) -> None:
    lines = [edge.line() for _ in range(4)]
    turned_away = edge.say(GET + b"\r\n")
    assert turned_away.told == (503, "too-many-connections")
    assert b"retry-after: 5" in turned_away.head
    for line in lines:
        line.socket.close()


def test_all_peers_together_have_no_more_than_the_listener_holds() -> None:
    limits = QUICK.model_copy(update={"connections_per_peer": 100, "connections": 3, "idle_seconds": 5.0})
    with listening(Listening(ISSUER, "127.0.0.1", 0, limits=limits)) as world:
        lines = [world.line() for _ in range(3)]
        assert world.say(GET + b"\r\n").told == (503, "too-many-connections")
        lines.pop().socket.close()
        time.sleep(0.3)
        assert world.say(GET + b"Connection: close\r\n\r\n").status == 200
        for line in lines:
            line.socket.close()


def test_the_application_is_told_at_once_that_a_refused_sender_is_gone() -> None:
    limits = QUICK.model_copy(update={"linger_seconds": 60.0, "body_bytes": 2**20})
    with listening(Listening(ISSUER, "127.0.0.1", 0, limits=limits)) as world, world.line() as line:
        line.send(CHUNKED)
        for _ in range(20):
            line.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        deadline = time.monotonic() + 5
        while not world.noted.left and time.monotonic() < deadline:
            time.sleep(0.02)
        assert world.noted.left == ["/page"]
        assert world.noted.bodies == []


def test_a_proxy_brings_as_many_connections_as_the_listener_holds() -> None:
    limits = QUICK.model_copy(update={"connections_per_peer": 1})
    proxies = Proxies((IPv4Network("127.0.0.0/8"),))
    with listening(Listening(ISSUER, "127.0.0.1", 0, limits=limits, proxies=proxies)) as world, world.line():
        assert world.say(GET + b"Connection: close\r\n\r\n").status == 200
