"""The centre, put together: settings in, rounds until it is told to stop."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType

from contracts.errors import SaphanError
from contracts.federation import Federation, KeyPurpose
from contracts.keys import SigningKey
from gateway import plan_calls
from gateway.centre.feed import Clock
from gateway.centre.home import CentreHome
from gateway.centre.judged_plans import JudgedPlan, judged
from gateway.centre.run import Centre
from gateway.centre.schedule import Schedule, next_round
from gateway.centre.settings import CentreSettings
from gateway.client import Gateway
from transport.lines import line_to
from trust.anchor import live_over_http, pins_root

log = logging.getLogger("saphan.centre")


def now() -> datetime:
    """The time, read here and nowhere else in the centre."""
    return datetime.now(UTC)  # noqa: TID251  # the composition root reads the clock


@contextmanager
def open_centre(settings: CentreSettings, clock: Clock = now) -> Iterator[Centre]:
    """The centre with its line to the gateway, to be entered and left.

    Raises:
        InvalidInput: ``setting-invalid``, when the home is incomplete.
        SaphanError: When the trust registry that it pins does not hold.
    """
    home = CentreHome(settings.home)
    with line_to(settings.gateway, settings.tls) as way:
        live = live_over_http(home.path, way) if pins_root(home.path) else None
        federation = home.federation() if live is None else live.refresh(clock())

        def key_by(federation: Federation) -> SigningKey:
            return home.keys.newest(federation, settings.agency, KeyPurpose.CLIENT, clock())

        at, agency, key = settings.gateway, settings.agency, key_by(federation)
        tls, quorum = settings.tls, settings.quorum
        line = Gateway(at, key, agency, federation, clock=clock, line=way, tls=tls, quorum=quorum)

        def followed() -> None:
            newest = federation if live is None else live.refresh(clock())
            line.believe(newest, key_by(newest))

        yield Centre(settings, home, line, clock, plans=lambda: registered_plans(line), follow=followed)


def registered_plans(line: Gateway) -> tuple[JudgedPlan, ...]:
    """The newest version of every action plan, with what of it can be judged."""
    return judged(each.plan for each in plan_calls.plans(line))


def serve(settings: CentreSettings, stop: threading.Event, clock: Clock = now) -> None:
    """One round after another until ``stop`` is set; what failed is logged by its code and tried again soon."""
    with open_centre(settings, clock) as centre:
        while not stop.is_set():
            is_whole = False
            try:
                done = centre.round()
                is_whole = not done.problems
                log.info("forecast %s, published: %s, problems: %s", done.forecast, done.published, done.problems)
            except SaphanError as error:
                log.warning("no forecast: %s", error.code)
            stop.wait(pause(settings, clock(), is_whole=is_whole))


def pause(settings: CentreSettings, instant: datetime, *, is_whole: bool) -> float:
    """Seconds until the next round: the schedule's, or sooner while something could not be had."""
    if settings.schedule is Schedule.REFRESH:
        return settings.refresh_seconds
    left = (next_round(settings.schedule, settings.hour, instant) - instant).total_seconds()
    return left if is_whole else min(left, settings.refresh_seconds)


def main(settings: CentreSettings) -> None:
    """Serve until SIGINT or SIGTERM, which also end a wait in the middle: the next start goes on from there."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        serve(settings, threading.Event())
    except KeyboardInterrupt:
        log.info("stopped")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
