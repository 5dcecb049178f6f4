"""From the gateway's settings to its HTTP server."""

from collections.abc import Callable
from typing import Any

import uvicorn

from gateway.api.larger_bodies import LARGER
from gateway.edges.proxies import Proxies
from gateway.edges.server import Listening, server_config
from gateway.settings import GatewaySettings


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
