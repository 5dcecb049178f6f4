"""What was published before there was one table of publications is there afterwards; the way back keeps forecasts."""

from collections.abc import Callable

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from gateway import publishing_forecasts as forecasts
from gateway.store import migrate
from gateway.store.engine import open_engine
from tests.gateway_world import World
from tests.publication_world import (
    analysis_from,
    cites,
    forecast_of,
    publish_analysis,
    publish_forecast,
    released,
    withdraw,
)

pytestmark = pytest.mark.integration


def move(url: str, step: Callable[[Config, str], None], revision: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        connection.execution_options(saphan_writes=True)
        with connection.begin():
            step(migrate._config(connection), revision)
    engine.dispose()


def test_forecasts_and_withdrawals_are_carried_over_with_their_order_and_time(world: World, store_url: str) -> None:
    release = released(world)
    for name in ("forecast-b", "forecast-a"):  # at one instant: the log alone knows which came last
        publish_forecast(world, forecast_of(cites(release), name=name))
    publish_analysis(world, analysis_from(cites(release)))
    published = world.now
    world.later(60)
    withdraw(world, release)
    means = world.exchange.means
    instants = (published, None)
    before = [(forecasts.latest(means, at), forecasts.all_forecasts(means, at)) for at in instants]
    assert before[0][0].flagged_since == before[1][0].flagged == (release.body.id,)

    move(store_url, command.downgrade, "0007")
    with world.store.engine.connect() as connection:
        rows = connection.execute(text("SELECT id FROM forecasts ORDER BY id")).all()
        cited = connection.execute(text("SELECT forecast FROM citations ORDER BY forecast")).all()
    assert [row[0] for row in rows] == [row[0] for row in cited] == ["forecast-a", "forecast-b"]
    move(store_url, command.upgrade, "head")

    assert [(forecasts.latest(means, at), forecasts.all_forecasts(means, at)) for at in instants] == before
    assert not migrate.has_drifted(store_url)
