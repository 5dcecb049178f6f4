"""The hops between two machines: name, port, certificate, program, clock. Each is tried for real and alone."""

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx2
from pydantic import BaseModel, ValidationError

from contracts.errors import IntegrityError, Unavailable
from contracts.transport import ClientFiles, client_context
from transport.line import Line
from transport.lines import line_to

PATIENCE_SECONDS: Final = 5.0
MOST_SKEW: Final = timedelta(seconds=5)
"""How far ahead of the receiver's clock a signature may be made; see ``contracts.message_signatures``."""

WHOLE_SECOND: Final = timedelta(seconds=1)
"""A ``Date`` header tells no less (RFC 9110, section 6.6.1)."""

PORTS: Final = {"https": 443, "http": 80}


class _Health(BaseModel):
    """What a gateway says of itself."""

    status: str


@dataclass(frozen=True, slots=True)
class Way:
    """The way to a gateway.

    Args:
        address: The gateway's.
        files: What TLS is checked with.
        proxy: Through which it is reached, if any.
    """

    address: str
    files: ClientFiles
    proxy: str | None = None

    @property
    def first(self) -> tuple[str, int]:
        """Host and port of what is connected to: the gateway, or the proxy before it."""
        parts = urlsplit(self.proxy or self.address)
        return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443)

    @property
    def host(self) -> str:
        """The gateway's name."""
        return urlsplit(self.address).hostname or ""

    def http(self) -> httpx2.Client:
        """A client for that way, to be entered and left."""
        verify = client_context(self.address, self.files)
        return httpx2.Client(
            base_url=self.address, proxy=self.proxy, trust_env=False, verify=verify, timeout=PATIENCE_SECONDS
        )

    def line(self) -> Line:
        """A line that way, to be entered and left."""
        return line_to(self.address, self.files, self.proxy)

    # ------------------------------------------------------------ the hops

    def check_name(self) -> None:
        """Resolve the name.

        Raises:
            Unavailable: ``gateway-name-unknown``.
        """
        host, port = self.first
        try:
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unavailable("gateway-name-unknown", host=host) from error

    def check_port(self) -> None:
        """Connect.

        Raises:
            Unavailable: ``gateway-port-closed``.
        """
        host, port = self.first
        try:
            socket.create_connection((host, port), PATIENCE_SECONDS).close()
        except OSError as error:
            raise Unavailable("gateway-port-closed", host=host, port=port) from error

    def check_tls(self) -> None:
        """Shake hands and verify the certificate; on this machine alone plain HTTP will do.

        Raises:
            IntegrityError: ``gateway-certificate-wrong``.
            Unavailable: ``gateway-tls-failed``.
            InvalidInput: ``setting-invalid``, for files that cannot be used.
        """
        if self.address.startswith("https:"):
            self._get("/health/live")

    def check_ready(self) -> None:
        """Ask whether a gateway is there that could serve.

        Raises:
            Unavailable: ``gateway-not-ready``.
        """
        answer = self._get("/health/ready")
        if answer.status_code != HTTPStatus.OK:
            raise Unavailable("gateway-not-ready", host=self.host, why=f"HTTP {answer.status_code}")
        try:
            _Health.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("gateway-not-ready", host=self.host, why="its answer is of another program") from error

    def check_clock(self, clock: Callable[[], datetime]) -> None:
        """Compare this machine's clock with the ``Date`` of an answer.

        Raises:
            Unavailable: ``clock-off``; ``gateway-not-ready``, when the answer has no date.
        """
        before = clock()
        answer = self._get("/health/live")
        after = clock()
        try:
            theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError as error:
            raise Unavailable("gateway-not-ready", host=self.host, why="its answer has no date") from error
        check_skew(before - theirs - WHOLE_SECOND, theirs - after, self.host)

    def _get(self, path: str) -> httpx2.Response:
        with self.http() as http:
            try:
                return http.get(path)
            except httpx2.HTTPError as error:
                raise self._broken(error) from error

    def _broken(self, error: httpx2.HTTPError) -> IntegrityError | Unavailable:
        """What an HTTP client's error says of the way. An alert of the other side comes late in TLS 1.3."""
        found = next((each for each in _causes(error) if isinstance(each, ssl.SSLError)), None)
        if isinstance(found, ssl.SSLCertVerificationError):
            return IntegrityError("gateway-certificate-wrong", host=self.host, why=found.verify_message)
        if found is not None:
            return Unavailable("gateway-tls-failed", host=self.host, why=found.reason or "the handshake ended")
        return Unavailable("gateway-not-ready", host=self.host, why=type(error).__name__)


def check_skew(ahead: timedelta, behind: timedelta, other: str) -> None:
    """Refuse a clock by which signatures would be refused.

    Args:
        ahead: How far this machine's clock is at least ahead of the other, negative when it is not.
        behind: How far it is at least behind.
        other: Whose clock the other is.

    Raises:
        Unavailable: ``clock-off``.
    """
    if max(ahead, behind) > MOST_SKEW:
        off = ahead if ahead > behind else -behind
        raise Unavailable("clock-off", host=other, seconds=f"{off.total_seconds():+.0f}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
