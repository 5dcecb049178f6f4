"""An answer as it comes in (RFC 9112), read by llhttp in its strict mode and within hard limits.

What is odd is no answer: a length that is not told, or told twice, a coding that nobody asked for, a trailer, bytes
after the end, another protocol. Who reads on after such bytes may take for an answer what somebody else wrote.
"""

from collections.abc import Mapping
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from contracts.signature_base import headers_of

MOST_HEAD_BYTES: Final = 65_536
"""Of the status line and the headers, with those of interim answers; what comes in one piece is read to its end."""

MOST_HEADERS: Final = 128
MOST_BODY_BYTES: Final = 2**26
"""Of a body, where nothing less is asked for; the framing of its chunks may need no more than a head besides."""

VERSIONS: Final = frozenset({"1.0", "1.1"})
FINAL: Final = range(200, 600)
BODILESS: Final = frozenset({204, 304})


class Malformed(ConnectionError):
    """What came is no answer."""


class TooLarge(Malformed):
    """Its body is larger than what was asked for may be."""


class Reading:
    """One answer: fed until it ``is_complete``, its other attributes mean something from then on.

    Args:
        most: Bytes of the body.
    """

    def __init__(self, most: int = MOST_BODY_BYTES) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.keeps_alive = False
        self.is_complete = False
        self._most = most
        self._pairs: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._fed = self._taken = 0
        self._is_in_head = True
        self._parser = HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        """The bytes of the body."""
        return b"".join(self._pieces)

    def feed(self, received: bytes) -> None:
        """Read on.

        Raises:
            Malformed: It is no answer, or its head is too large.
            TooLarge: Its body is.
        """
        self._fed += len(received)
        try:
            self._parser.feed_data(received)
        except (HttpParserError, HttpParserUpgrade) as error:
            if isinstance(error.__context__, Malformed):  # raised below, and wrapped by the parser
                raise error.__context__ from None
            raise Malformed("it is no answer of HTTP/1.1") from error
        if self._is_in_head and self._fed > MOST_HEAD_BYTES:
            raise Malformed("its head is too large")
        if self._fed > MOST_HEAD_BYTES + self._most:
            raise TooLarge("it is too large")
        if self.is_complete:
            del self._parser  # the two hold each other, and would lie there until the collector comes by

    # ------------------------------------------------------------ called by the parser

    def on_message_begin(self) -> None:
        """Another message begins."""
        if self.is_complete:
            raise Malformed("bytes after the end")
        self._pairs.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer: no signature covers one."""
        if not self._is_in_head or len(self._pairs) == MOST_HEADERS:
            raise Malformed("a trailer, or too many headers")
        self._pairs.append((name, value))

    def on_headers_complete(self) -> None:
        """The head ends; that of an interim answer (RFC 9110, section 15.2) is followed by another."""
        self.status = self._parser.get_status_code()
        if self.status < FINAL.start:
            return
        self.headers = headers_of(self._pairs)
        if self.status not in FINAL or self._parser.get_http_version() not in VERSIONS or not self._is_framed():
            raise Malformed("its end is not told")
        check_head(self.headers, self._most)
        self._is_in_head = False
        self.keeps_alive = self._parser.should_keep_alive()

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._taken += len(piece)
        if self._taken > self._most:
            raise TooLarge("its body is too large")
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The message ends."""
        self.is_complete = not self._is_in_head

    def _is_framed(self) -> bool:
        """Whether it says where it ends; the parser has refused two lengths, and a length beside chunks."""
        length = self.headers.get("content-length")
        is_chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        return is_chunked or length is not None or self.status in BODILESS


def check_head(headers: Mapping[str, str], most: int) -> None:
    """Refuse, before it is read, a body that is too large or that would have to be unpacked.

    Args:
        headers: Of the answer, by lower-case name.
        most: Bytes of the body.

    Raises:
        Malformed: Its coding is one that nobody asked for.
        TooLarge: It says that it is.
    """
    if headers.get("content-encoding", "identity") != "identity":
        raise Malformed("a coding that nobody asked for")
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise Malformed("a length that is none")
    if int(length) > most:
        raise TooLarge("its body is too large")
