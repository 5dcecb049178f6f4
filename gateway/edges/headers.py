"""What every answer tells a browser to leave alone: the header fields that each answer has unless it says otherwise."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

Field = tuple[bytes, bytes]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of an answer that is no page: shown by itself it loads, sends and runs nothing."""

PAGE: Final = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""The policy of a page without scripts: style sheets, letters and pictures of this origin, no attribute is a style."""

SCRIPTED_PAGE: Final = f"{PAGE}; script-src 'self'; connect-src 'self'"
"""The policy of a page that runs script files of this origin; nothing inline, nothing made of text."""

FEATURES: Final = ("camera", "display-capture", "geolocation", "microphone", "payment", "serial", "usb")
A_YEAR: Final = 365 * 24 * 3600

ALWAYS: Final = (
    (b"content-security-policy", NOTHING.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""Of every answer."""

OF_PAGES: Final = (
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", ", ".join(f"{each}=()" for each in FEATURES).encode()),
)
"""Of what a browser shows as a page, besides."""

TRANSPORT: Final = (b"strict-transport-security", f"max-age={A_YEAR}".encode())


class SafeAnswers:
    """An application whose every answer has these fields; what it says itself stands.

    Args:
        app: The application.
        binds_to_tls: Whether a browser is told to come by TLS alone from now on. A name that means every machine to
            itself (localhost) must not be bound so.
    """

    def __init__(self, app: Application, *, binds_to_tls: bool) -> None:
        self._app = app
        self._over_tls = (TRANSPORT,) if binds_to_tls else ()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fields = (*ALWAYS, *self._over_tls) if scope["scheme"] == "https" else ALWAYS

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with(message["headers"], fields)
            await send(message)

        await self._app(scope, receive, send_safely)


def _with(said: Sequence[Field], fields: Sequence[Field]) -> list[Field]:
    names = dict(said)
    wanted = (*fields, *OF_PAGES) if names.get(b"content-type", b"").startswith(b"text/html") else fields
    return [*said, *(field for field in wanted if field[0] not in names)]
