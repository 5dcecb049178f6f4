"""The line to a gateway against servers that misbehave: one whole answer to one request, or ``gateway-unreachable``."""

import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Timer

import pytest

from contracts.errors import InvalidInput, Unavailable
from contracts.signature_base import Message
from contracts.transport import ClientFiles
from tests.wire_server import ANSWER, Heard, Script, WireServer, polite, saying, serving
from transport import http
from transport.http import MOST_KEPT, HttpLine

pytestmark = pytest.mark.integration

CALL = Message("POST", "/v1/x", {"content-type": "text/plain"}, b"hello")
SECONDS = 5.0
SOON = 0.2


@contextmanager
def line_to(*scripts: Script) -> Iterator[tuple[HttpLine, WireServer]]:
    """A line to a server that does as the scripts say."""
    with serving(*scripts) as server, HttpLine(server.url, ClientFiles()) as line:
        yield line, server


def refused(line: HttpLine, seconds: float = SECONDS) -> None:
    """Send a call that gets no answer."""
    with pytest.raises(Unavailable) as caught:
        line.send(CALL, seconds)
    assert caught.value.code == "gateway-unreachable"


def slowly(answer: bytes, step: float = 0.02) -> Script:
    """Say an answer byte by byte."""

    def script(heard: Heard) -> None:
        heard.request()
        for place in range(len(answer)):
            heard.say(answer[place : place + 1])
            heard.over.wait(step)

    return script


def silent(heard: Heard) -> None:
    """Hear a request and say nothing."""
    heard.request()
    heard.over.wait()


# ------------------------------------------------------------------ what works


def test_an_answer_comes_with_its_status_its_headers_and_its_request() -> None:
    with line_to(saying(b"HTTP/1.1 404 No\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nno")) as (line, server):
        answer = line.send(CALL, SECONDS)
    assert (answer.status, answer.body, answer.request) == (404, b"no", CALL)
    assert answer.headers == {"x-a": "1", "content-length": "2"}
    host = server.url.removeprefix("http://").encode()
    sent = b"host: %s\r\naccept-encoding: identity\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello" % host
    assert server.taken[0].requests == [b"POST /v1/x HTTP/1.1\r\n" + sent]


def test_one_connection_serves_one_call_after_the_other() -> None:
    with line_to(polite) as (line, server):
        assert [line.send(CALL, SECONDS).body for _ in range(3)] == [b"ok"] * 3
    assert [len(each.requests) for each in server.taken] == [3]


def test_threads_have_connections_of_their_own() -> None:
    here = Barrier(4)

    def together(heard: Heard) -> None:
        while body := heard.request().rpartition(b"\r\n")[2]:
            here.wait(SECONDS)
            heard.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + body)

    def ask(name: bytes) -> list[bytes]:
        return [line.send(Message("POST", "/", {}, name), SECONDS).body for _ in range(5)]

    with line_to(together) as (line, server), ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, (b"a", b"b", b"c", b"d"))) == [[b"a"] * 5, [b"b"] * 5, [b"c"] * 5, [b"d"] * 5]
    assert len(server.taken) == 4


def test_no_more_connections_are_kept_than_are_needed_again() -> None:
    here = Barrier(MOST_KEPT + 2)

    def together(heard: Heard) -> None:
        heard.request()
        here.wait(SECONDS)
        heard.say(ANSWER)
        heard.request()

    with line_to(together) as (line, server):
        with ThreadPoolExecutor(MOST_KEPT + 2) as pool:
            list(pool.map(lambda _: line.send(CALL, SECONDS), range(MOST_KEPT + 2)))
        assert len(server.taken) == MOST_KEPT + 2
        assert len(line._idle) == MOST_KEPT


def test_a_large_body_goes_and_comes_whole() -> None:
    large = os.urandom(2**22)

    def echo(heard: Heard) -> None:
        body = heard.request().partition(b"\r\n\r\n")[2]
        heard.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(body), 100_000):
            piece = body[start : start + 100_000]
            heard.say(b"%x\r\n%s\r\n" % (len(piece), piece))
        heard.say(b"0\r\n\r\n")

    with line_to(echo) as (line, _):
        assert line.send(Message("POST", "/", {}, large), SECONDS).body == large


def test_who_refuses_a_body_before_it_has_come_is_heard() -> None:
    refusal = b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno"

    def hasty(heard: Heard) -> None:
        heard.socket.recv(10)
        heard.say(refusal)
        heard.socket.shutdown(socket.SHUT_RDWR)  # what still comes is answered with a reset

    with line_to(hasty, polite) as (line, server):
        assert line.send(Message("POST", "/", {}, b"x" * 2**24), SECONDS).status == 413
        assert line.send(CALL, SECONDS).status == 200
    assert len(server.taken) == 2


# ------------------------------------------------------------------ what does not


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        ANSWER[:10],
        ANSWER[:-1],
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        ANSWER + ANSWER,
    ],
)
def test_what_is_torn_or_odd_is_no_answer_and_its_connection_is_closed(answer: bytes) -> None:
    with line_to(saying(answer), polite) as (line, server):
        refused(line)
        assert line.send(CALL, SECONDS).body == b"ok"
    assert [len(each.requests) for each in server.taken] == [1, 1]


def test_who_is_not_there_is_unreachable() -> None:
    with serving(polite) as server:
        address = server.url
    with HttpLine(address, ClientFiles()) as line:
        refused(line)


def test_a_name_that_nobody_can_have_is_unreachable() -> None:
    with HttpLine(f"https://{'a' * 70}.example", ClientFiles()) as line:
        refused(line)


def test_who_resets_the_connection_is_unreachable() -> None:
    def reset(heard: Heard) -> None:
        heard.request()
        heard.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with line_to(reset) as (line, _):
        refused(line)


@pytest.mark.parametrize("script", [silent, slowly(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + b"x" * 99)])
def test_the_time_is_that_of_the_whole_answer_and_not_of_each_piece(script: Script) -> None:
    with line_to(script) as (line, _):
        started = time.monotonic()
        refused(line, SOON)
        assert time.monotonic() - started < 5 * SOON


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_a_call_whose_time_is_over_is_not_sent(seconds: float) -> None:
    with line_to(polite) as (line, server):
        refused(line, seconds)
        line.send(CALL, SECONDS)
        refused(line, seconds)
    assert [len(each.requests) for each in server.taken] == [1]


def test_who_does_not_take_the_request_in_time_is_unreachable() -> None:
    def deaf(heard: Heard) -> None:
        heard.over.wait()

    with line_to(deaf) as (line, _):
        started = time.monotonic()
        with pytest.raises(Unavailable):
            line.send(Message("POST", "/", {}, b"x" * 2**24), SOON)
        assert time.monotonic() - started < 5 * SOON


def test_who_does_not_take_the_connection_in_time_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), HttpLine(f"http://127.0.0.1:{port}", ClientFiles()) as line:
            started = time.monotonic()
            refused(line, SOON)
            assert time.monotonic() - started < 5 * SOON


# ------------------------------------------------------------------ kept connections


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_kept_connection_that_was_closed_is_noticed_before_anything_is_sent() -> None:
    with line_to(saying(ANSWER), polite) as (line, server):
        line.send(CALL, SECONDS)
        eventually(lambda: not line._idle[0].is_silent())
        assert line.send(CALL, SECONDS).body == b"ok"
    assert [len(each.requests) for each in server.taken] == [1, 1]


def test_what_somebody_says_unasked_on_a_kept_connection_is_no_answer_to_the_next_call() -> None:
    def pushes(heard: Heard) -> None:
        heard.request()
        heard.say(ANSWER)
        heard.over.wait(SOON / 4)
        heard.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlies")
        heard.over.wait()

    with line_to(pushes, polite) as (line, _):
        line.send(CALL, SECONDS)
        eventually(lambda: not line._idle[0].is_silent())
        assert line.send(CALL, SECONDS).body == b"ok"


def test_a_call_that_was_sent_and_not_answered_is_never_sent_again() -> None:
    def hears_two_answers_one(heard: Heard) -> None:
        heard.request()
        heard.say(ANSWER)
        heard.request()

    with line_to(hears_two_answers_one, polite) as (line, server):
        line.send(CALL, SECONDS)
        refused(line)
    assert [len(each.requests) for each in server.taken] == [2]


def test_a_connection_that_waited_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with line_to(polite) as (line, server):
        line.send(CALL, SECONDS)
        monkeypatch.setattr(http, "KEPT_SECONDS", 0.0)
        line.send(CALL, SECONDS)
    assert [len(each.requests) for each in server.taken] == [1, 1]


def test_who_says_that_it_closes_is_not_used_again() -> None:
    last = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"

    def says_so_and_stays(heard: Heard) -> None:
        heard.request()
        heard.say(last)
        heard.over.wait()

    with line_to(says_so_and_stays, polite) as (line, server):
        assert [line.send(CALL, SECONDS).body for _ in range(2)] == [b"ok", b"ok"]
    assert len(server.taken) == 2


def test_an_interrupted_call_closes_its_connection() -> None:
    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    def late(heard: Heard) -> None:
        heard.request()
        heard.over.wait(2 * SOON)
        heard.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with line_to(late, polite) as (line, server):
            Timer(SOON / 2, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            with pytest.raises(KeyboardInterrupt):
                line.send(CALL, SECONDS)
            assert line.send(CALL, SECONDS).body == b"ok"
            assert len(server.taken) == 2
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_closed_line_leaves_nothing_open() -> None:
    with line_to(polite) as (line, server):
        line.send(CALL, SECONDS)
        line.close()
        eventually(lambda: server.taken[0].socket.fileno() < 0)
        # Whoever still sends gets an answer, and nothing stays open after it.
        assert line.send(CALL, SECONDS).body == b"ok"
        eventually(lambda: server.taken[1].socket.fileno() < 0)


def test_nothing_is_sent_that_could_become_another_request() -> None:
    with line_to(polite) as (line, server):
        with pytest.raises(ValueError, match="header"):
            line.send(Message("GET", "/", {"x": "y\r\n\r\nGET /other HTTP/1.1"}, b""), SECONDS)
        with pytest.raises(InvalidInput):
            line.send(Message("GET", "/\r\n\r\nGET /other", {}, b""), SECONDS)
    assert not server.taken


def test_plain_http_stays_on_this_machine() -> None:
    with pytest.raises(InvalidInput):
        HttpLine("http://gateway.example", ClientFiles())
