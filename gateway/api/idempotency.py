"""``Idempotency-Key``: a call that is sent again under its key, by the same key holder, gets the answer that it got.

Every write is harmless when repeated, for documents are known by their digests; this spares the caller the difference
between "done" and "was done before". Only what succeeded is kept: a refusal changed nothing and may be tried again.
"""

import re
from typing import Final

from starlette.responses import Response

from contracts.canonical import digest_of_bytes
from contracts.errors import InvalidInput, Refused
from contracts.signature_base import Message
from gateway.api.desk import Desk
from gateway.caller import Caller
from gateway.store.idempotency import KeptAnswer, keep_answer, kept_answer

HEADER: Final = "idempotency-key"
REPLAYED: Final = "idempotency-replayed"
SUCCESS: Final = range(200, 300)
KEY: Final = re.compile(r'"?([A-Za-z0-9_-]{8,64})"?')


def key_in(message: Message) -> str | None:
    """The key of a call that may be sent again.

    Raises:
        InvalidInput: ``malformed-body`` for a key that is not 8 to 64 letters, digits, ``-`` or ``_``.
    """
    given = message.headers.get(HEADER)
    if given is None or message.method != "POST":
        return None
    found = KEY.fullmatch(given)
    if found is None:
        raise InvalidInput("malformed-body", where=HEADER)
    return found[1]


def answer_again(desk: Desk, caller: Caller, key: str, message: Message) -> Response | None:
    """The answer that was given to this very call under this key, if there is one.

    Raises:
        Refused: ``idempotency-key-reused``, when the key stood for another call; ``request-replayed``.
    """
    with desk.exchange.means.store.read() as r:
        kept = kept_answer(r, caller.kid, key, desk.clock())
    if kept is None:
        return None
    if kept.call != _call(message):
        raise Refused("idempotency-key-reused")
    desk.exchange.admit(caller)
    return Response(kept.body, kept.status, {REPLAYED: "true"}, kept.media_type)


def keep(desk: Desk, caller: Caller, key: str, message: Message, response: Response) -> None:
    """Keep what a call was answered, if it succeeded."""
    if response.status_code in SUCCESS:
        media_type = response.headers.get("content-type", "application/json")
        answer = KeptAnswer(_call(message), response.status_code, media_type, bytes(response.body))
        with desk.exchange.means.store.transaction() as t:
            keep_answer(t, caller.kid, key, answer, desk.clock())


def _call(message: Message) -> str:
    return digest_of_bytes(b"\n".join((message.method.encode(), message.path.encode(), message.body)))
