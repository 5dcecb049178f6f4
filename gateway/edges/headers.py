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


class SafeFields:
    """The fields of every answer beside those that it has already.

    Args:
        binds_to_tls: Whether a browser is told to come by TLS alone from now on. A name that means every machine to
            itself (localhost) must not be bound so.
    """

    def __init__(self, *, binds_to_tls: bool) -> None:
        self._over_tls = (*ALWAYS, TRANSPORT) if binds_to_tls else ALWAYS

    def beside(self, said: Sequence[Field], scheme: str) -> list[Field]:
        """What an answer says itself, and what it does not say of these; ``scheme`` is how it was asked for."""
        wanted, names = self._over_tls if scheme == "https" else ALWAYS, dict(said)
        if names.get(b"content-type", b"").startswith(b"text/html"):
            wanted = (*wanted, *OF_PAGES)
        return [*said, *[field for field in wanted if field[0] not in names]]


class SafeAnswers:
    """An application whose every answer has these fields; what it says itself stands.

    Args:
        app: The application.
        fields: The fields.
    """

    def __init__(self, app: Application, fields: SafeFields) -> None:
        self._app = app
        self._fields = fields

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one call."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._fields.beside(message["headers"], scope["scheme"])
            await send(message)

        await self._app(scope, receive, send_safely)
