"""The registry read from somebody who sends without end: straight and through a proxy."""

import socket
from pathlib import Path

import pytest
from typing_extensions import override

from contracts.errors import SaphanError
from contracts.signature_base import Message
from contracts.transport import ClientFiles
from tests.factories import NOW
from tests.wire_server import Heard, serving
from transport.line import Line
from transport.lines import line_to
from transport.reading import MOST_BODY_BYTES
from trust.reader import over_http, read

pytestmark = pytest.mark.integration


def way_to(url: str, *, proxied: bool) -> Line:
    """Straight to a server, or to it as the proxy before a gateway."""
    return line_to("http://localhost:1", ClientFiles(), proxy=url) if proxied else line_to(url, ClientFiles())


@pytest.mark.parametrize("proxied", [False, True])
def test_a_gateway_that_sends_in_drips_is_cut_off(home: Path, *, proxied: bool) -> None:
    def drips(heard: Heard) -> None:
        heard.request()
        heard.say(b"HTTP/1.1 200 OK\r\n")
        while not heard.over.wait(0.02):
            heard.say(b"x: y\r\n")

    with serving(drips) as server, way_to(server.url, proxied=proxied) as line, pytest.raises(SaphanError) as caught:
        read(home, over_http(line, longest=0.2), NOW)
    assert caught.value.code == "gateway-unreachable"


@pytest.mark.parametrize("proxied", [False, True])
def test_of_an_endless_document_no_more_is_taken_than_it_may_have(home: Path, *, proxied: bool) -> None:
    said: list[int] = []

    def endless(heard: Heard) -> None:
        heard.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**16)
        heard.request()
        heard.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            heard.say(b"1000\r\n%s\r\n" % (b"x" * 4096))
            said.append(4096)

    with serving(endless) as server, way_to(server.url, proxied=proxied) as line, pytest.raises(SaphanError) as caught:
        read(home, over_http(line), NOW)
    assert caught.value.code == "registry-forged"
    # A root may have 200 kB; what the network holds between the two comes on top of it.
    assert sum(said) < 2**24


def test_a_signed_length_makes_no_reader_take_more_than_a_line_does() -> None:
    asked: list[int] = []

    class Noting(Line):
        @override
        def send(self, call: Message, seconds: float, most: int = MOST_BODY_BYTES) -> Message:
            asked.append(most)
            return Message(call.method, call.path, {}, b"x", 200, call)

        @override
        def close(self) -> None:
            """Nothing is open."""

    get = over_http(Noting())
    assert [*get("metadata/timestamp.json", 16_384), *get("targets/x", 2**40)] == [b"x", b"x"]
    assert asked == [16_384, MOST_BODY_BYTES]
