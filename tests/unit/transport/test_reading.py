"""An answer on the wire: read whole and within limits, or refused."""

import gc
import weakref

import pytest

from transport.reading import MOST_HEAD_BYTES, MOST_HEADERS, Malformed, Reading

pytestmark = pytest.mark.unit

OK = b"HTTP/1.1 200 OK\r\n"
TWO = b"Content-Length: 2\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def read(*pieces: bytes, most: int = 1000) -> Reading:
    """What comes of these pieces, one after the other."""
    answer = Reading(most)
    for each in pieces:
        answer.feed(each)
    return answer


def test_an_answer_is_its_status_its_headers_and_its_body() -> None:
    answer = read(b"HTTP/1.1 422 What\r\nX-One: a\r\nx-two:  b \r\nx-one: c\r\n" + TWO + b"\r\nok")
    assert (answer.status, answer.body) == (422, b"ok")
    assert answer.headers == {"x-one": "a, c", "x-two": "b", "content-length": "2"}
    assert answer.is_complete
    assert answer.keeps_alive


def test_an_answer_may_come_byte_by_byte() -> None:
    whole = OK + CHUNKED + b"\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"
    answer = Reading()
    for place in range(len(whole)):
        assert not answer.is_complete
        answer.feed(whole[place : place + 1])
    assert answer.is_complete
    assert answer.body == b"ok"


def test_an_answer_that_was_read_is_gone_as_soon_as_nobody_holds_it() -> None:
    answer = read(OK + TWO + b"\r\nok")
    gone = weakref.ref(answer)
    gc.disable()
    try:
        del answer
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_never_has_a_body_needs_no_length(status: int) -> None:
    answer = read(b"HTTP/1.1 %d None\r\n\r\n" % status)
    assert answer.is_complete
    assert (answer.status, answer.body) == (status, b"")


def test_interim_answers_are_passed_over() -> None:
    hints = b"HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n"
    for pieces in ((b"HTTP/1.1 100 Continue\r\n\r\n", OK + TWO + b"\r\nok"), (hints + hints + OK + TWO + b"\r\nok",)):
        answer = read(*pieces)
        assert answer.is_complete
        assert (answer.status, answer.body, answer.headers) == (200, b"ok", {"content-length": "2"})


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + TWO + b"\r\nok",
        b"HTTP/1.0 200 OK\r\n" + TWO + b"\r\nok",
    ],
)
def test_a_connection_that_is_to_be_closed_is_not_kept(answer: bytes) -> None:
    assert read(answer).is_complete
    assert not read(answer).keeps_alive


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-server\r\n",
        b"<html>",
        b"HTTP/2.0 200 OK\r\n" + TWO + b"\r\nok",
        b"HTTP/1.1 20 OK\r\n" + TWO + b"\r\nok",
        b"HTTP/1.1 999 OK\r\n" + TWO + b"\r\nok",
        b"HTTP/1.1 600 OK\r\n" + TWO + b"\r\nok",
        b"HTTP/1.1 101 Other\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        OK + b"\r\nuntil it closes",
        OK + TWO + TWO + b"\r\nok",
        OK + TWO + CHUNKED + b"\r\n2\r\nok\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\n\r\nok",
        OK + b"Content-Length: -2\r\n\r\nok",
        OK + b"Content-Length: 2, 2\r\n\r\nok",
        OK + b"Content-Length: 99999999999999999999\r\n\r\nok",
        OK + b"Content-Length : 2\r\n\r\nok",
        OK + b"X: a\r\n b\r\n" + TWO + b"\r\nok",
        OK + b"X: a\0\r\n" + TWO + b"\r\nok",
        OK + b"X: a\n" + TWO + b"\r\nok",
        OK + b"Content-Encoding: gzip\r\n" + TWO + b"\r\nok",
        OK + CHUNKED + b"\r\nz\r\nok\r\n0\r\n\r\n",
        OK + CHUNKED + b"\r\n2\r\nokk\r\n0\r\n\r\n",
        OK + CHUNKED + b"\r\n2\r\nok\r\n0\r\nSignature: of the trailer\r\n\r\n",
        OK + TWO + b"\r\nok" + OK,
        OK + TWO + b"\r\nokmore",
        b"HTTP/1.1 204 None\r\n" + TWO + b"\r\nok",
    ],
)
def test_what_is_odd_is_no_answer(answer: bytes) -> None:
    with pytest.raises(Malformed):
        read(answer)


def test_a_body_as_large_as_it_may_be_is_read_and_one_byte_more_is_not() -> None:
    assert read(OK + b"Content-Length: 1000\r\n\r\n", b"x" * 1000).body == b"x" * 1000
    with pytest.raises(Malformed):
        read(OK + b"Content-Length: 1001\r\n\r\n")


@pytest.mark.parametrize("piece", [b"400\r\n%s\r\n" % (b"x" * 1024), b"1;%s\r\nx\r\n" % (b"e" * 1024)])
def test_chunks_without_end_are_not_read_without_end(piece: bytes) -> None:
    with pytest.raises(Malformed, match="too large"):
        read(OK + CHUNKED + b"\r\n", *([piece] * 70))


@pytest.mark.parametrize(
    ("begins", "piece"),
    [
        (OK, b"X: %s\r\n" % (b"x" * 1000)),
        (OK + b"X: ", b"x" * 1000),
        (b"HTTP/1.1 200 ", b"x" * 1000),
        (b"", b"HTTP/1.1 103 Hints\r\nX: %s\r\n\r\n" % (b"x" * 1000)),
    ],
)
def test_a_head_without_end_is_not_read_without_end(begins: bytes, piece: bytes) -> None:
    with pytest.raises(Malformed, match="too large"):
        read(begins, *([piece] * (MOST_HEAD_BYTES // 1000 + 1)))


def test_more_headers_than_anybody_needs_are_refused() -> None:
    assert read(OK + TWO + b"X: y\r\n" * (MOST_HEADERS - 1) + b"\r\nok").is_complete
    with pytest.raises(Malformed):
        read(OK + TWO + b"X: y\r\n" * MOST_HEADERS + b"\r\nok")
