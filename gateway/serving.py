"""From the gateway's settings to its HTTP server."""

import gc
from collections.abc import Callable
from typing import Any, Final

import uvicorn

from gateway.api.larger_bodies import LARGER
from gateway.edges.proxies import Proxies
from gateway.edges.server import Listening, server_config
from gateway.settings import GatewaySettings

COLLECTED_AFTER: Final = 50_000
"""So many new objects until the collector of garbage looks for cycles among them.

Python's own 700 are less than one call makes, and nearly all of them are freed by their reference counts: the collector
would visit what is in use again and again.
"""


def spare_collector() -> None:
    """Let the collector of garbage leave alone what start-up has made: it lasts as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)


def server_of(app: Callable[..., Any], settings: GatewaySettings, issuer: str) -> uvicorn.Server:
    """A server that is ready to run; see ``server_config``.

    Args:
        app: The gateway as an ASGI application.
        settings: Where and how it listens.
        issuer: The address under which the federation knows it.

    Raises:
        InvalidInput: ``setting-invalid``.
    """
    listening = Listening(
        issuer=issuer,
        host=settings.listen_host,
        port=settings.listen_port,
        other_hosts=settings.allowed_hosts,
        proxies=Proxies(settings.trusted_proxies, settings.proxy_client_certificates),
        limits=settings.limits,
        tls=settings.tls,
        larger=LARGER,
    )
    return uvicorn.Server(server_config(app, listening))
