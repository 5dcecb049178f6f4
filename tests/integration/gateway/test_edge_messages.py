"""Messages that two programs could read in two ways, or that are too large, are refused before anybody reads them."""

import gzip
import re
from collections.abc import Iterator

import pytest

from gateway.edges.limits import LargerBody, Limits
from gateway.edges.server import Listening
from tests.edge_world import ISSUER, EdgeWorld, listening

pytestmark = pytest.mark.integration

LARGER = (LargerBody(method="POST", path=re.compile(rb"/v1/tasks/[^/]+/part"), most_bytes=3 * 2**20),)
GET = b"GET /page HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /page HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
BOMB = gzip.compress(b"\0" * 50_000_000, 1)
UNCLEAR = {
    "a length beside a transfer coding": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a transfer coding beside a length": CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "the same length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "a length with a sign": POST + b"Content-Length: +5\r\n\r\nhello",
    "a length beyond all numbers": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a transfer coding that packs": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a transfer coding of no name": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two transfer codings": CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded field": GET + b"X: a\r\n b\r\n\r\n",
    "bare line feeds": b"GET /page HTTP/1.1\nHost: localhost\n\n",
    "one bare line feed": GET + b"X: a\nY: b\r\n\r\n",
    "a space before the colon": GET + b"X : a\r\n\r\n",
    "a null in a field": GET + b"X: a\0b\r\n\r\n",
    "a bare carriage return": GET + b"X: a\rb\r\n\r\n",
    "a chunk size with a sign": CHUNKED + b"\r\n-5\r\nhello\r\n0\r\n\r\n",
    "a chunk size beyond all numbers": CHUNKED + b"\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "a chunk with a bare line feed": CHUNKED + b"\r\n5\nhello\r\n0\r\n\r\n",
    "fields after the body": CHUNKED + b"\r\n5\r\nhello\r\n0\r\nAuthorization: x\r\n\r\n",
    "no host": b"GET /page HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: localhost\r\n\r\n",
    "a whole address for a target": b"GET http://localhost/page HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a tunnel": b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a part of a page for a target": b"GET /page#part HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a star for a target": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an unknown method": b"FOO /page HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a control character in the target": b"GET /p\x01age HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "the beginning of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS to a plain listener": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}
OTHER_VERSIONS = {
    "HTTP/0.9 without a version": b"GET /page\r\n\r\n",
    "HTTP/1.0": b"GET /page HTTP/1.0\r\nHost: localhost\r\n\r\n",
    "HTTP/1.0 with a transfer coding": b"POST /page HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/2.0 in plain letters": b"GET /page HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "another protocol": b"GET /page RTSP/1.0\r\nHost: localhost\r\n\r\n",
}


@pytest.fixture(scope="module")
def edge() -> Iterator[EdgeWorld]:
    limits = Limits(header_seconds=0.5, body_seconds=0.5, idle_seconds=1.0, linger_seconds=0.2)
    with listening(Listening(ISSUER, "127.0.0.1", 0, limits=limits, larger=LARGER)) as world:
        yield world


@pytest.fixture(autouse=True)
def _fresh(edge: EdgeWorld) -> None:
    """A whole call first: what the test before left to be done is done before its answer."""
    assert edge.say(GET + b"Connection: close\r\n\r\n").status == 200
    edge.noted.scopes.clear()
    edge.noted.bodies.clear()


def test_a_plain_call_is_answered_and_the_next_on_the_same_connection_too(edge: EdgeWorld) -> None:
    with edge.line() as line:
        line.send(GET + b"\r\n")
        assert line.until(b"ok").startswith(b"HTTP/1.1 200")
        line.send(POST + b"Content-Length: 5\r\n\r\nhello")
        assert line.until(b"ok").startswith(b"HTTP/1.1 200")
        line.send(CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\r\n")
        assert line.until(b"ok").startswith(b"HTTP/1.1 200")
    assert edge.noted.bodies == [b"", b"hello", b"hello"]


def test_an_answer_without_a_body_is_sent_and_the_next_on_the_same_connection_too(edge: EdgeWorld) -> None:
    with edge.line() as line:
        line.send(GET.replace(b"GET", b"HEAD") + b"\r\n")
        assert line.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        line.send(GET + b"\r\n")
        assert line.until(b"ok").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("message", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_a_message_that_can_be_read_in_two_ways_is_refused(edge: EdgeWorld, message: bytes) -> None:
    assert edge.say(message).told == (400, "request-unclear")
    assert edge.noted.bodies == []


@pytest.mark.parametrize("message", OTHER_VERSIONS.values(), ids=OTHER_VERSIONS.keys())
def test_other_versions_of_the_protocol_are_refused(edge: EdgeWorld, message: bytes) -> None:
    assert edge.say(message).told == (505, "request-unclear")
    assert edge.noted.scopes == []


@pytest.mark.parametrize("at_once", [True, False], ids=["in one packet", "in small pieces"])
def test_a_header_of_200_kb_is_refused(edge: EdgeWorld, at_once: bool) -> None:  # noqa: FBT001  # a parameter
    message = GET + b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n"
    pieces = [message] if at_once else [message[i : i + 999] for i in range(0, len(message), 999)]
    assert edge.say(*pieces).told == (431, "header-too-large")
    assert edge.noted.scopes == []


def test_many_short_fields_are_refused(edge: EdgeWorld) -> None:
    fields = b"".join(b"X-%d: 1\r\n" % number for number in range(64))
    assert edge.say(GET + fields + b"\r\n").told == (431, "header-too-large")
    assert edge.noted.scopes == []


def test_empty_lines_before_a_call_are_no_way_around_the_length_of_a_header(edge: EdgeWorld) -> None:
    assert edge.say(b"\r\n" * 20_000).told == (431, "header-too-large")


def test_a_header_right_up_to_its_limit_is_read(edge: EdgeWorld) -> None:
    ending = b"Connection: close\r\n\r\n"
    filling = b"X: " + b"a" * (2**15 - len(GET) - len(ending) - 5) + b"\r\n"
    message = GET + filling + ending
    assert len(message) == 2**15
    assert edge.say(message).status == 200
    longer = message.replace(b"X: a", b"X: aa")
    assert edge.say(longer).told == (431, "header-too-large")


def test_a_target_that_is_too_long_is_refused(edge: EdgeWorld) -> None:
    message = b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert edge.say(message).told == (414, "header-too-large")
    assert edge.noted.scopes == []


def test_a_body_of_60_mb_is_refused_by_its_length_before_any_of_it_comes(edge: EdgeWorld) -> None:
    answer = edge.say(POST + b"Content-Length: 60000000\r\n\r\n")
    assert answer.told == (413, "body-too-large")
    assert edge.noted.scopes == []


def test_a_body_of_60_mb_without_a_length_is_refused_while_it_comes(edge: EdgeWorld) -> None:
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    answer = edge.say(CHUNKED + b"\r\n", *[chunk] * 915)
    assert answer.told == (413, "body-too-large")
    assert edge.noted.bodies == []


def test_who_asks_before_sending_is_told_no(edge: EdgeWorld) -> None:
    answer = edge.say(POST + b"Content-Length: 60000000\r\nExpect: 100-continue\r\n\r\n")
    assert answer.told == (413, "body-too-large")
    with edge.line() as line:
        line.send(POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert line.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.send(b"hello")
        assert line.until(b"ok").startswith(b"HTTP/1.1 200")


def test_a_route_may_take_more_than_others_and_still_not_everything(edge: EdgeWorld) -> None:
    part = b"POST /v1/tasks/T-1/part?x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    body = b"x" * (2 * 2**20)
    assert edge.say(part + b"Content-Length: %d\r\n\r\n" % len(body), body).status == 200
    assert body in edge.noted.bodies
    assert edge.say(part + b"Content-Length: %d\r\n\r\n" % (4 * 2**20)).told == (413, "body-too-large")
    other = part.replace(b"/part", b"/parts")
    assert edge.say(other + b"Content-Length: %d\r\n\r\n" % len(body)).told == (413, "body-too-large")
    assert edge.say(part.replace(b"POST", b"PUT") + b"Content-Length: %d\r\n\r\n" % len(body)).status == 413


def test_what_one_route_takes_does_not_hold_for_the_next_call_of_the_connection(edge: EdgeWorld) -> None:
    body = b"x" * (2 * 2**20)
    length = b"Host: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    with edge.line() as line:
        line.send(b"POST /v1/tasks/T-1/part HTTP/1.1\r\n" + length + body)
        assert line.until(b"ok").startswith(b"HTTP/1.1 200")
        assert line.say(b"POST /page HTTP/1.1\r\n" + length).told == (413, "body-too-large")


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"identity, gzip", b"GZIP"])
def test_nothing_is_unpacked_so_that_no_bomb_goes_off(edge: EdgeWorld, coding: bytes) -> None:
    message = POST + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(BOMB))
    assert edge.say(message, BOMB).told == (415, "body-encoded")
    assert edge.noted.scopes == []


def test_a_body_of_little_but_chunk_sizes_is_refused(edge: EdgeWorld) -> None:
    answer = edge.say(CHUNKED + b"\r\n", *[b"1;%b\r\nx\r\n" % (b"e" * 500) for _ in range(200)])
    assert answer.told == (400, "request-unclear")


def test_a_field_after_the_body_that_never_ends_is_not_collected(edge: EdgeWorld) -> None:
    answer = edge.say(CHUNKED + b"\r\n1\r\nx\r\n0\r\nX: ", *[b"a" * 10_000] * 20)
    assert answer.told == (400, "request-unclear")


def test_a_second_call_before_the_first_answer_is_not_read(edge: EdgeWorld) -> None:
    answer = edge.say(GET + b"\r\n" + GET.replace(b"page", b"second") + b"\r\n")
    assert answer.raw.count(b"HTTP/1.1") == 1
    assert answer.status == 200
    assert b"connection: close" in answer.head
    assert "/second" not in [scope["path"] for scope in edge.noted.scopes]


def test_the_rest_of_a_call_that_was_answered_early_is_not_read(edge: EdgeWorld) -> None:
    early = POST.replace(b"page", b"early") + b"Content-Length: 100000\r\n\r\nhello"
    with edge.line() as line:
        line.send(early)
        assert line.until(b"ok").startswith(b"HTTP/1.1 200")
        line.send(b"x" * 99_995 + GET.replace(b"page", b"second") + b"\r\n")
        assert line.rest().raw == b""
    assert "/second" not in [scope["path"] for scope in edge.noted.scopes]


def test_what_follows_a_wish_for_another_protocol_is_not_read(edge: EdgeWorld) -> None:
    wish = GET + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    answer = edge.say(wish + GET.replace(b"page", b"second") + b"\r\n")
    assert answer.status == 200
    assert b"connection: close" in answer.head
    assert "/second" not in [scope["path"] for scope in edge.noted.scopes]


def test_nothing_that_was_sent_stands_in_a_refusal(edge: EdgeWorld) -> None:
    answer = edge.say(GET + b"X: 1101700203451\r\n folded 1101700203451\r\n\r\n")
    assert b"1101700203451" not in answer.raw


@pytest.mark.parametrize(
    "host", [b"evil.example", b"127.0.0.1.evil.example", b"localhost:80:80", b"[::1", b"", b"[::1]x"]
)
def test_a_name_that_is_not_the_gateways_is_refused(edge: EdgeWorld, host: bytes) -> None:
    answer = edge.say(b"GET /page HTTP/1.1\r\nHost: %b\r\n\r\n" % host)
    assert answer.told == (421, "host-unknown")
    assert edge.noted.scopes == []


@pytest.mark.parametrize(
    "host", [b"gateway.example", b"Gateway.Example:8443", b"localhost:8000", b"127.0.0.1", b"[::1]:1"]
)
def test_the_issuers_name_and_this_machines_are_the_gateways(edge: EdgeWorld, host: bytes) -> None:
    answer = edge.say(b"GET /page HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host)
    assert answer.status == 200
