"""Bodies of calls are read whole, without copying what has come already for each piece that follows."""

import asyncio
from collections.abc import MutableMapping, Sequence
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from contracts.errors import InvalidInput
from gateway.api.signed import body_of

pytestmark = pytest.mark.unit

MOST = 64


def body_in(pieces: Sequence[bytes], *, is_whole: bool = True) -> bytes:
    """What is read of a body that comes in these pieces."""
    last = len(pieces) - 1
    events: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": number < last or not is_whole}
        for number, piece in enumerate(pieces)
    ]
    coming = iter([*events, {"type": "http.disconnect"}])

    async def receive() -> MutableMapping[str, Any]:
        return next(coming)

    return asyncio.run(body_of(Request({"type": "http"}, receive), MOST))


class Copied(bytes):
    """A piece that counts what is copied when it is put behind bytes that came before it."""

    copied = 0

    def __radd__(self, before: object) -> bytes:
        """The whole anew; what can grow where it is does so."""
        if not isinstance(before, bytes):
            return NotImplemented
        Copied.copied += len(before)
        return before.__add__(self)


def test_the_pieces_of_a_body_are_put_together_in_their_order() -> None:
    body = body_in([b"a", b"", b"bc", b"d"])
    assert (body, type(body)) == (b"abcd", bytes)


def test_what_has_come_is_not_copied_again_with_each_further_piece() -> None:
    assert body_in([Copied(b"x")] * MOST) == b"x" * MOST
    assert Copied.copied == 0


def test_a_body_that_is_too_long_is_not_read_to_its_end() -> None:
    with pytest.raises(InvalidInput, match="body-too-large"):
        body_in([b"x" * MOST, b"x"], is_whole=False)


def test_a_body_whose_sender_goes_before_its_end_is_none() -> None:
    with pytest.raises(ClientDisconnect):
        body_in([b"x"], is_whole=False)
