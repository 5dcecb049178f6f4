"""The gateway's composition root: the one place that reads the clock and puts the parts together."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI

from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose
from contracts.message_signatures import new_nonce
from contracts.transport import is_on_loopback
from gateway.api.application import Application
from gateway.api.description import SUMMARY, TITLE
from gateway.api.desk import TICK, Bell, Desk
from gateway.api.routes import HOT, add_routes
from gateway.api.workers import Workers
from gateway.catalogue.shelf import catalogue_now
from gateway.crash import Crash, kill_at, never
from gateway.exchange import Exchange
from gateway.identity.authorization_server import OAuthEndpoints
from gateway.identity.door import Door
from gateway.identity.revocations import Revocations
from gateway.identity.token_keys import TokenKeys
from gateway.identity.tokens import AccessTokens, TokenIssuer
from gateway.means import ExchangeKeys, ExchangeSettings, Means
from gateway.people.login_provider import provider_of
from gateway.privacy_office.retention import Daily
from gateway.public_record import PublishedRecord
from gateway.public_usage import PublicUsage
from gateway.quiet_log import silence_values, what_failed
from gateway.registry.keeper import Keeper, keeper_of
from gateway.rights import may_ask, spend
from gateway.serving import server_of, spare_collector
from gateway.settings import GatewaySettings
from gateway.store.engine import Store
from gateway.store.migrate import check
from gateway.store.revoked_tokens import RevokedTokenTable
from gateway.store.wakeups import wakeups_of
from gateway.turns import Turns
from gateway.web.account import add_account_pages
from gateway.web.account_route import AccountDesk
from gateway.web.catalogue import catalogue_router
from gateway.web.home import home_router
from gateway.web.transparency import transparency_router
from trust.anchor import pins_root

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
    federation, keeper, store = _opened(settings, clock)
    desk = _desk(settings, _means(settings, federation, clock, store), keeper)
    app = Application(
        binds_to_tls=not is_on_loopback(federation.gateway),
        hot=HOT,
        title=TITLE,
        description=SUMMARY,
        version=version("saphan"),
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(settings, keeper),
    )
    app.state.desk, app.state.keeper = desk, keeper
    # The page first: /catalogue.{form} would take its address for a form.
    app.state.usage = PublicUsage(lambda: _means_now(app))
    app.include_router(transparency_router(app.state.usage, synthetic=settings.synthetic))
    app.include_router(catalogue_router(lambda: catalogue_now(_means_now(app)), synthetic=settings.synthetic))
    add_routes(app)
    provider = provider_of(settings, desk.exchange.means.federation)
    accounts = AccountDesk(lambda: _means_now(app), provider, settings.synthetic, lambda: _check_trust(app))
    add_account_pages(app, accounts)
    app.include_router(home_router(PublishedRecord(desk.exchange.means), synthetic=settings.synthetic))
    return app


def _desk(settings: GatewaySettings, means: Means, keeper: Keeper | None) -> Desk:
    """What all routes work with, by the keys of one federation."""
    federation, clock = means.federation, means.clock
    issuer = TokenIssuer(TokenKeys(federation, means.keys.tokens), new_nonce)
    exchange = Exchange(means, issuer.task_token)
    revocations = Revocations(RevokedTokenTable(means.store), timedelta(seconds=settings.tick_seconds))
    tokens = AccessTokens(federation, revocations.holds, is_cleared=revocations.clears)
    return Desk(
        exchange=exchange,
        door=Door(federation, tokens),
        oauth=OAuthEndpoints(issuer, tokens, revocations, partial(spend, means), partial(may_ask, means), clock),
        key=means.keys.gateway,
        clock=clock,
        new_nonce=new_nonce,
        look_again_seconds=settings.look_again_seconds,
        most_waiting=settings.most_waiting,
        trusted=None if keeper is None else keeper.check,
    )


def _desk_now(app: FastAPI) -> Desk:
    """The desk as it is now: the registry may have put another one in the place of the first."""
    desk: Desk = app.state.desk
    return desk


def _check_trust(app: FastAPI) -> None:
    desk: Desk = app.state.desk
    desk.check_trust()


def _means_now(app: FastAPI) -> Means:
    return _desk_now(app).exchange.means


def serve(settings: GatewaySettings) -> None:
    """Serve until the process is told to stop."""
    app = create_app(settings)
    desk: Desk = app.state.desk
    server = server_of(app, settings, desk.door.federation.gateway)
    spare_collector()
    server.run()


def means_of(settings: GatewaySettings, clock: Clock = system_clock) -> Means:
    """What a command works with that runs once, beside a gateway that serves or without one.

    Raises:
        InvalidInput: ``setting-invalid``, as ``create_app``.
    """
    silence_values()
    federation, _, store = _opened(settings, clock)
    return _means(settings, federation, clock, store)


def _opened(settings: GatewaySettings, clock: Clock) -> tuple[Federation, Keeper | None, Store]:
    """The members' keys, who keeps them up to date if they come from the trust registry, and the database."""
    given = None if pins_root(settings.home) else _checked(settings, settings.folder.federation())
    check(settings.database)
    store = Store(settings.database)
    if given is not None:
        return given, None, store
    keeper = keeper_of(settings.folder, store, clock)
    return _checked(settings, keeper.begin()), keeper, store


def _checked(settings: GatewaySettings, federation: Federation) -> Federation:
    if settings.issuer not in (None, federation.gateway):
        raise InvalidInput("setting-invalid", setting="issuer", why="the federation knows this gateway by another name")
    return federation


def _means(settings: GatewaySettings, federation: Federation, clock: Clock, store: Store) -> Means:
    now, home = clock(), settings.folder
    keys = ExchangeKeys(
        gateway=home.key(federation, KeyPurpose.GATEWAY, now),
        tokens=home.token_keys(federation, now),
        log=home.key(federation, KeyPurpose.LOG, now),
    )
    terms = ExchangeSettings(federation.gateway, settings.tick_seconds, settings.lease_seconds)
    crash: Crash = kill_at(settings.crash_at) if settings.crash_at else never
    return Means(store, keys, federation, clock, terms, crash, secrets.token_bytes)


def _lifespan(
    settings: GatewaySettings, keeper: Keeper | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        desk: Desk = app.state.desk
        store, seconds = desk.exchange.means.store, settings.tick_seconds
        tell = _from_thread(desk.bell)
        wakeups = wakeups_of(store.engine, tell)
        if wakeups is None:
            store.tell_here = tell
        else:
            desk.bell.hears = lambda: wakeups.hears
            wakeups.start()
        await _carry_on(desk.workers, partial(_resume, desk))
        ticking = asyncio.create_task(_tick(partial(_desk_now, app), seconds, Turns(wakeups)))
        retaining = asyncio.create_task(_retain(partial(_means_now, app), seconds, desk.workers))
        keeping = asyncio.create_task(_keep(app, keeper, settings))
        counting = asyncio.create_task(_count(app.state.usage, seconds, desk.workers))
        try:
            yield
        finally:
            for task in (ticking, retaining, keeping, counting):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            if wakeups is not None:
                await desk.workers.run(wakeups.stop)
            # What was begun is brought to its end, though nobody waits for it any more.
            await desk.workers.finish()
            store.close()

    return lifespan


async def _keep(app: FastAPI, keeper: Keeper | None, settings: GatewaySettings) -> None:
    """Follow the trust registry: a change puts another desk into the place of the one that works by former keys."""

    def adopt(federation: Federation) -> None:
        before: Desk = app.state.desk
        means = _means(settings, _checked(settings, federation), before.clock, before.exchange.means.store)
        desk = _desk(settings, means, keeper)
        app.state.desk = replace(desk, bell=before.bell, workers=before.workers)

    while keeper is not None:
        await asyncio.sleep(settings.tick_seconds)
        await _carry_on(app.state.desk.workers, partial(keeper.step, adopt))


def _from_thread(bell: Bell) -> Callable[..., None]:
    """What other threads tell the bell with; the running loop rings it if anybody waits for that."""
    loop = asyncio.get_running_loop()

    def tell(*topics: str) -> None:
        if bell.is_awaited(*topics):
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(bell.tell, *topics)

    return tell


async def _tick(desk_now: Callable[[], Desk], seconds: float, turns: Turns | None = None) -> None:
    """Carry on, again and again, what a crash, a slow agency or another process left lying; results leave meanwhile."""
    turns = turns or Turns()
    while True:
        await asyncio.sleep(seconds)
        desk = desk_now()
        if turns.is_next_mine():
            await _carry_on(desk.workers, partial(_resume, desk))
        # What the database does not tell of may have changed, too.
        desk.bell.tell(*((TICK,) if desk.bell.hears() else ()))


def _resume(desk: Desk) -> None:
    # Nothing is asked or released by keys that may not be relied upon; it all waits as rows.
    desk.check_trust()
    desk.exchange.resume()


async def _retain(means_now: Callable[[], Means], seconds: float, workers: Workers) -> None:
    """Delete once a day what is due, beside the ticks: a long run must not hold back anybody's result."""
    daily = Daily(means_now())
    while True:
        await asyncio.sleep(seconds)
        daily.means = means_now()
        if daily.is_due():
            await _carry_on(workers, daily)


async def _count(usage: PublicUsage, seconds: float, workers: Workers) -> None:
    """Count the use of the exchange when a month is over; readers of the page begin no count."""
    while True:
        if usage.is_due():
            await _carry_on(workers, usage.count)
        await asyncio.sleep(seconds)


async def _carry_on(workers: Workers, step: Callable[[], None]) -> None:
    """One step; what fails is for the next tick, and keeps the gateway neither from starting nor from ticking."""
    try:
        await workers.run(step)
    except Exception as error:  # noqa: BLE001  # the next tick tries again; a tick that ends would stall everything
        log.error("tick: %s", what_failed(error))  # noqa: TRY400  # a traceback holds the error's text
