"""TLS of the gateway's listener: version 1.2 at least, and the certificates of its callers."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.errors import InvalidInput

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; every suite of 1.3 is of this kind: fresh keys for each connection, authenticated encryption."""


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The files of a listener, all PEM.

    Args:
        certificate: Its certificate, followed by those of the authorities between it and the root.
        key: Its private key.
        client_ca: The authorities whose client certificates are believed; without it none is asked for.
        client_required: Whether a connection without one is refused.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None
    client_required: bool = False


def server_context(files: ServerFiles) -> ssl.SSLContext:
    """What the listener needs to answer over TLS.

    Sessions are not resumed: a certificate is looked at on every connection, not as it was hours ago.

    Raises:
        InvalidInput: ``setting-invalid``, when a file is missing or is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        # With a password at hand that fits nothing, an encrypted key is an error; without one OpenSSL asks a terminal.
        context.load_cert_chain(files.certificate, files.key, password="")
    except (OSError, ValueError) as error:
        raise InvalidInput("setting-invalid", setting="tls_certificate", why=_why(error)) from error
    if files.client_ca is not None:
        _ask_clients(context, files.client_ca, required=files.client_required)
    elif files.client_required:
        raise InvalidInput("setting-invalid", setting="tls_client_ca", why="it says whose certificates are required")
    return context


def _ask_clients(context: ssl.SSLContext, authorities: Path, *, required: bool) -> None:
    try:
        context.load_verify_locations(authorities)
    except (OSError, ValueError) as error:
        raise InvalidInput("setting-invalid", setting="tls_client_ca", why=_why(error)) from error
    context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL


def _why(error: Exception) -> str:
    """Fixed words: the error's own could hold a path."""
    return "the file is missing" if isinstance(error, FileNotFoundError) else "not certificate and unencrypted key"
