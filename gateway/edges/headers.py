"""What every answer tells a browser to leave alone: the header fields that each answer has unless it says otherwise."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

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

ALWAYS: Final[Mapping[bytes, bytes]] = {
    b"content-security-policy": NOTHING.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": ", ".join(f"{each}=()" for each in FEATURES).encode(),
}
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
        self._plain = tuple(ALWAYS.items())
        self._over_tls = (*self._plain, TRANSPORT) if binds_to_tls else self._plain

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fields = self._over_tls if scope["scheme"] == "https" else self._plain

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = message["headers"]
                names = {name for name, _ in said}
                message["headers"] = [*said, *(field for field in fields if field[0] not in names)]
            await send(message)

        await self._app(scope, receive, send_safely)
