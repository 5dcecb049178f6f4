"""An answer as it comes in (RFC 9112), read by llhttp in its strict mode and within hard limits.

What is odd is no answer: a length that is not told, or told twice, a coding that nobody asked for, a trailer, bytes
after the end, another protocol. Who reads on after such bytes may take for an answer what somebody else wrote.
"""

from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from contracts.signature_base import headers_of

MOST_HEAD_BYTES: Final = 65_536
"""Of the status line and the headers, with those of interim answers; what comes in one piece is read to its end."""

MOST_HEADERS: Final = 128
MOST_BODY_BYTES: Final = 2**26
"""Of the body, with the framing of its chunks."""

VERSIONS: Final = frozenset({"1.0", "1.1"})
FINAL: Final = range(200, 600)
BODILESS: Final = frozenset({204, 304})


class Malformed(ConnectionError):
    """What came is no answer."""


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
        self._fed = 0
        self._is_in_head = True
        self._parser = HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        """The bytes of the body."""
        return b"".join(self._pieces)

    def feed(self, received: bytes) -> None:
        """Read on.

        Raises:
            Malformed: It is no answer, or one that is too large.
        """
        self._fed += len(received)
        try:
            self._parser.feed_data(received)
        except (HttpParserError, HttpParserUpgrade) as error:
            raise Malformed("it is no answer of HTTP/1.1") from error
        if self._fed > MOST_HEAD_BYTES + (0 if self._is_in_head else self._most):
            raise Malformed("it is too large")
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
        if self.headers.get("content-encoding", "identity") != "identity":
            raise Malformed("a coding that nobody asked for")
        self._is_in_head = False
        self.keeps_alive = self._parser.should_keep_alive()

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The message ends."""
        self.is_complete = not self._is_in_head

    def _is_framed(self) -> bool:
        """Whether it says where it ends; the parser has refused two lengths, and a length beside chunks."""
        length = self.headers.get("content-length")
        if length is not None and int(length) > self._most:
            return False
        is_chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        return is_chunked or length is not None or self.status in BODILESS
