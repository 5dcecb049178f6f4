"""How members reach the gateway: over TLS, or over plain HTTP on this machine alone.

Both sides that open connections, connectors and requesters, go by the same rule. Only ``client_context`` reads files.
"""

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from contracts.errors import InvalidInput

ADDRESS: Final = r"^https?://[^/?#@\s]+/?$"
"""The form of a gateway's address: scheme, host and port, without a user or a path."""


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """The PEM files of one who opens connections over TLS.

    Args:
        ca: The roots that are trusted, and no others; without it those of the operating system.
        certificate: The certificate to show, followed by those between it and its root.
        key: Its private key.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def shows_certificate(self) -> bool:
        """Whether a gateway that asks for a certificate gets one, and may bind tokens to it."""
        return self.certificate is not None

    def within(self, home: Path) -> "ClientFiles":
        """The same files, their relative paths beginning in ``home``."""
        ca, certificate, key = (None if each is None else home / each for each in (self.ca, self.certificate, self.key))
        return ClientFiles(ca, certificate, key)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name, so that no network lies in between."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_on_loopback(address: str) -> bool:
    """Whether the host of an address is this machine."""
    return is_loopback(urlsplit(address).hostname or "")


def check_address(address: str) -> None:
    """Refuse plain HTTP through a network.

    Raises:
        InvalidInput: ``setting-invalid``, when the address is neither https nor on this machine.
    """
    scheme = urlsplit(address).scheme
    if scheme != "https" and not (scheme == "http" and is_on_loopback(address)):
        raise InvalidInput("setting-invalid", setting="gateway", why="it is reached by https, or on this machine alone")


def client_context(address: str, files: ClientFiles) -> ssl.SSLContext:
    """What an HTTP client verifies a gateway with: version 1.2 at least, its name and its chain to a trusted root.

    Args:
        address: The gateway's.
        files: The trusted roots and what this side shows of itself.

    Raises:
        InvalidInput: ``setting-invalid``, for plain HTTP through a network and for files that cannot be used.
    """
    check_address(address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if address.startswith("https:"):
        _trust(context, files.ca)
        _show(context, files)
    return context


def _trust(context: ssl.SSLContext, ca: Path | None) -> None:
    try:
        if ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(ca)
    except (OSError, ValueError) as error:
        why = "the file is missing or holds no certificate"
        raise InvalidInput("setting-invalid", setting="tls_ca", why=why) from error


def _show(context: ssl.SSLContext, files: ClientFiles) -> None:
    if files.certificate is None and files.key is None:
        return
    if files.certificate is None or files.key is None:
        raise InvalidInput("setting-invalid", setting="tls_certificate", why="certificate and key go together")
    try:
        # With a password at hand that fits nothing, an encrypted key is an error; without one OpenSSL asks a terminal.
        context.load_cert_chain(files.certificate, files.key, password="")
    except (OSError, ValueError) as error:
        why = "the files are missing or are no certificate and its unencrypted key"
        raise InvalidInput("setting-invalid", setting="tls_certificate", why=why) from error
