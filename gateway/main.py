"""The gateway's composition root: the one place that reads the clock and puts the parts together."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose
from contracts.message_signatures import new_nonce
from gateway.api.description import SUMMARY, TITLE
from gateway.api.desk import Desk
from gateway.api.routes import add_routes
from gateway.catalogue.shelf import catalogue_now
from gateway.crash import Crash, kill_at, never
from gateway.exchange import Exchange
from gateway.identity.authorization_server import OAuthEndpoints
from gateway.identity.door import Door
from gateway.identity.revocations import Revocations
from gateway.identity.token_keys import TokenKeys
from gateway.identity.tokens import AccessTokens, TokenIssuer
from gateway.means import ExchangeKeys, ExchangeSettings, Means
from gateway.privacy_office.retention import Daily
from gateway.public_record import PublishedRecord
from gateway.quiet_log import silence_values, what_failed
from gateway.rights import may_ask, spend
from gateway.serving import server_of
from gateway.settings import GatewaySettings
from gateway.store.engine import Store
from gateway.store.migrate import check
from gateway.store.revoked_tokens import RevokedTokenTable
from gateway.store.wakeups import wakeups_of
from gateway.turns import Turns
from gateway.web.catalogue import catalogue_router
from gateway.web.home import home_router

Clock = Callable[[], datetime]

log = logging.getLogger("saphan.gateway")


def system_clock() -> datetime:
    """The present, aware UTC."""
    return datetime.now(UTC)  # noqa: TID251  # the composition root is where the clock is read


def create_app(settings: GatewaySettings, clock: Clock = system_clock) -> FastAPI:
    """The gateway as an ASGI application; it opens its database here and closes it when it stops.

    Raises:
        InvalidInput: ``setting-invalid``, when the home lacks a key, the federation is not this gateway's, or the
            database is not at this program's schema.
    """
    silence_values()
    federation = _federation(settings)
    check(settings.database)
    means = _means(settings, federation, clock)
    issuer = TokenIssuer(TokenKeys(federation, means.keys.tokens), new_nonce)
    exchange = Exchange(means, issuer.task_token)
    revocations = Revocations(RevokedTokenTable(means.store), timedelta(seconds=settings.tick_seconds))
    tokens = AccessTokens(federation, revocations.holds)
    desk = Desk(
        exchange=exchange,
        door=Door(federation, tokens),
        oauth=OAuthEndpoints(issuer, tokens, revocations, partial(spend, means), partial(may_ask, means), clock),
        key=means.keys.gateway,
        clock=clock,
        new_nonce=new_nonce,
        look_again_seconds=settings.look_again_seconds,
    )
    app = FastAPI(
        title=TITLE,
        description=SUMMARY,
        version=version("saphan"),
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(desk, means.store, settings.tick_seconds),
    )
    app.state.desk = desk
    # The page first: /catalogue.{form} would take its address for a form.
    app.include_router(catalogue_router(partial(catalogue_now, means), synthetic=settings.synthetic))
    add_routes(app)
    app.include_router(home_router(PublishedRecord(means), synthetic=settings.synthetic))
    return app


def serve(settings: GatewaySettings) -> None:
    """Serve until the process is told to stop."""
    app = create_app(settings)
    desk: Desk = app.state.desk
    server_of(app, settings, desk.door.federation.gateway).run()


def means_of(settings: GatewaySettings, clock: Clock = system_clock) -> Means:
    """What a command works with that runs once, beside a gateway that serves or without one.

    Raises:
        InvalidInput: ``setting-invalid``, as ``create_app``.
    """
    silence_values()
    federation = _federation(settings)
    check(settings.database)
    return _means(settings, federation, clock)


def _federation(settings: GatewaySettings) -> Federation:
    federation = settings.folder.federation()
    if settings.issuer not in (None, federation.gateway):
        raise InvalidInput("setting-invalid", setting="issuer", why="the federation knows this gateway by another name")
    return federation


def _means(settings: GatewaySettings, federation: Federation, clock: Clock) -> Means:
    now, home = clock(), settings.folder
    keys = ExchangeKeys(
        gateway=home.key(federation, KeyPurpose.GATEWAY, now),
        tokens=home.token_keys(federation, now),
        log=home.key(federation, KeyPurpose.LOG, now),
    )
    terms = ExchangeSettings(federation.gateway, settings.tick_seconds, settings.lease_seconds)
    crash: Crash = kill_at(settings.crash_at) if settings.crash_at else never
    return Means(Store(settings.database), keys, federation, clock, terms, crash, secrets.token_bytes)


def _lifespan(desk: Desk, store: Store, tick_seconds: float) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        wakeups = wakeups_of(store.engine, _from_thread(desk.bell.ring))
        if wakeups is not None:
            desk.bell.hears = lambda: wakeups.hears
            wakeups.start()
        await _carry_on(desk.exchange.resume)
        ticking = asyncio.create_task(_tick(desk, tick_seconds, Turns(wakeups)))
        retaining = asyncio.create_task(_retain(Daily(desk.exchange.means), tick_seconds))
        try:
            yield
        finally:
            for task in (ticking, retaining):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            if wakeups is not None:
                await run_in_threadpool(wakeups.stop)
            store.close()

    return lifespan


def _from_thread(ring: Callable[[], None]) -> Callable[[], None]:
    """The same call for other threads; the running loop makes it."""
    loop = asyncio.get_running_loop()

    def call() -> None:
        loop.call_soon_threadsafe(ring)

    return call


async def _tick(desk: Desk, seconds: float, turns: Turns | None = None) -> None:
    """Carry on, again and again, what a crash, a slow agency or another process left lying; results leave meanwhile."""
    turns = turns or Turns()
    while True:
        await asyncio.sleep(seconds)
        if turns.is_next_mine():
            await _carry_on(desk.exchange.resume)
        desk.bell.ring()


async def _retain(daily: Daily, seconds: float) -> None:
    """Delete once a day what is due, beside the ticks: a long run must not hold back anybody's result."""
    while True:
        await asyncio.sleep(seconds)
        await _carry_on(daily)


async def _carry_on(step: Callable[[], None]) -> None:
    """One step; what fails is for the next tick, and keeps the gateway neither from starting nor from ticking."""
    try:
        await run_in_threadpool(step)
    except Exception as error:  # noqa: BLE001  # the next tick tries again; a tick that ends would stall everything
        log.error("tick: %s", what_failed(error))  # noqa: TRY400  # a traceback holds the error's text
