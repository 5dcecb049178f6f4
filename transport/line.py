"""What a member's program asks of its way to the gateway: send one message, get one answer."""

from types import TracebackType
from typing import Protocol, Self

from contracts.errors import Unavailable
from contracts.signature_base import Message
from transport.reading import MOST_BODY_BYTES


class TooLong(Unavailable):
    """Whoever answers sends more than was asked for: ``gateway-unreachable`` to all who cannot tell what it means."""

    def __init__(self) -> None:
        super().__init__("gateway-unreachable")


class Line(Protocol):
    """A way to one gateway; several threads may send at once."""

    def send(self, call: Message, seconds: float, most: int = MOST_BODY_BYTES) -> Message:
        """Send a request and give its answer, whatever its status; no redirect is followed, nothing is unpacked.

        Args:
            call: The request; where it goes, and how its body is framed, is the line's business.
            seconds: Until when the whole answer must have come, the connection included.
            most: Bytes that the answer's body may have; no more of it is taken than one piece from the network.

        Raises:
            Unavailable: ``gateway-unreachable``: no whole answer came. Whether the request was heard is not known.
            TooLong: An answer came that is longer than ``most``, or does not end.
            InvalidInput: ``unknown-address``, for a path that no request can have.
        """
        ...

    def close(self) -> None:
        """Close what is open."""
        ...

    def __enter__(self) -> Self:
        """Use it in a ``with`` block to have it closed."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close what is open."""
        self.close()
