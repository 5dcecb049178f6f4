"""The gateway's HTTP server: uvicorn with the guarded protocol, TLS of its own, and a time limit on handshakes."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, cast

import uvicorn
from typing_extensions import override

from contracts.errors import InvalidInput
from gateway.edges.hosts import LOOPBACK, allowed_hosts
from gateway.edges.limits import LargerBody, Limits
from gateway.edges.listener import Front, GuardedProtocol
from gateway.edges.proxies import Proxies
from gateway.edges.roster import Roster
from gateway.edges.tls import ServerFiles, server_context

if sys.platform == "win32":
    from asyncio import SelectorEventLoop as Loop
else:
    from uvloop import Loop

GRACE_SECONDS: Final = 3


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how one process listens.

    Args:
        issuer: The address under which the federation knows the gateway.
        host: The address to listen on.
        port: The port.
        other_hosts: Further names by which the gateway may be addressed.
        proxies: Reverse proxies in front of it.
        limits: How much, how many, how long.
        tls: The files for TLS; without them it speaks plain HTTP, to this machine and to the proxies, and to
            nobody else.
        larger: Routes that take larger bodies than others.
    """

    issuer: str
    host: str
    port: int
    other_hosts: Sequence[str] = ()
    proxies: Proxies = field(default_factory=Proxies)
    limits: Limits = field(default_factory=Limits)
    tls: ServerFiles | None = None
    larger: Sequence[LargerBody] = ()


class GuardedLoop(Loop):
    """An event loop whose servers give a TLS handshake so many seconds and no more."""

    handshake_seconds: float

    @override
    async def create_server(self, *args: Any, **kwargs: Any) -> asyncio.Server:
        """As the loop's own, with the limit."""
        if kwargs.get("ssl") is not None:
            kwargs["ssl_handshake_timeout"] = self.handshake_seconds
            kwargs["ssl_shutdown_timeout"] = self.handshake_seconds
        # Uvloop's server does all that asyncio's does, and is none of its kind.
        return cast(asyncio.Server, await super().create_server(*args, **kwargs))


class GuardedConfig(uvicorn.Config):
    """Uvicorn's configuration with the guarded protocol and loop."""

    handshake_seconds: float

    @override
    def get_loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop]:
        return partial(_new_loop, self.handshake_seconds)


def server_config(app: Callable[..., Any], listening: Listening) -> uvicorn.Config:
    """All that uvicorn needs to serve an application.

    Raises:
        InvalidInput: ``setting-invalid``, for TLS files that cannot be used, and for plain HTTP on an address that
            others reach without a proxy in between.
    """
    files, limits = listening.tls, listening.limits
    if files is None and listening.host not in LOOPBACK and not listening.proxies.networks:
        why = "without a certificate it listens on loopback alone, or behind the proxies of trusted_proxies"
        raise InvalidInput("setting-invalid", setting="tls_certificate", why=why)
    context = None if files is None else server_context(files)
    config = GuardedConfig(
        app,
        host=listening.host,
        port=listening.port,
        http=_protocol(listening),
        ws="none",
        server_header=False,
        proxy_headers=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_keep_alive=max(1, int(limits.idle_seconds)),
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_context_factory=None if context is None else lambda _config, _usual: context,
    )
    config.handshake_seconds = limits.header_seconds
    return config


def _protocol(listening: Listening) -> type[GuardedProtocol]:
    names = allowed_hosts(listening.issuer, listening.host, listening.other_hosts)
    limits = listening.limits

    class Listener(GuardedProtocol):
        front = Front(limits, names, listening.proxies, listening.larger, Roster(limits))

    return Listener


def _new_loop(handshake_seconds: float) -> asyncio.AbstractEventLoop:
    loop = GuardedLoop()
    loop.handshake_seconds = handshake_seconds
    return loop
