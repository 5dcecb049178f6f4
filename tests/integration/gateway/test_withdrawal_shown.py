"""A release that became public later is on the page; one that was withdrawn is flagged wherever it is cited."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from pyarrow import parquet  # type: ignore[import-untyped]  # it has no types

from contracts.agreement import Agreement
from contracts.forecast import PublishedForecast
from contracts.release import Release, ReleaseState, Withdrawal
from gateway.client import Result
from gateway.privacy_calls import disclosures
from saphan.client_tables import release_table, releases_table
from tests import factories
from tests.api_world import ApiWorld, forecast_from
from tests.gateway_world import CONTRACT

pytestmark = pytest.mark.integration

PRIVATE = factories.agreement(
    (CONTRACT,), id="AGR-PRIVATE-1", activities=(factories.activity((CONTRACT,), publish=False),)
)
PUBLIC = factories.agreement((CONTRACT,), id="AGR-PUBLIC-1")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorld]:
    world = ApiWorld(tmp_path / "gateway")
    world.world.register((), PRIVATE)
    world.world.register((), PUBLIC)
    yield world
    world.desk.exchange.means.store.close()


def asked(world: ApiWorld, agreement: Agreement, name: str) -> Release:
    request = factories.request(agreement, id=name, created=world.now, deliver_until=world.now + timedelta(days=1))
    gateway = world.gateway()
    gateway.submit(request)
    world.answer()
    return gateway.wait(request.id, 1).release


def page(world: ApiWorld) -> str:
    return world.http.get("/?lang=en").text


def test_a_release_that_a_later_repeat_publishes_appears_on_the_page_too(world: ApiWorld) -> None:
    first = asked(world, PRIVATE, "REQ-0001")
    assert first.body.id not in page(world)
    assert not first.is_public
    again = asked(world, PUBLIC, "REQ-0002")
    assert again.body.id == first.body.id
    assert (again.made_public, again.body.public, again.is_public) == (True, False, True)
    assert first.body.id in page(world)
    assert [each["id"] for each in world.http.get("/v1/releases").json()] == [first.body.id]


def withdrawn(world: ApiWorld) -> Release:
    """A public release that a forecast cites and that its requester then withdrew."""
    released = asked(world, PUBLIC, "REQ-0001")
    world.gateway().publish_forecast(forecast_from(released))
    reason = Withdrawal(release=released.body.id, state=ReleaseState.WITHDRAWN, reason="counted twice")
    world.gateway().withdraw(reason)
    return world.gateway().release(released.body.id).release


def test_a_withdrawn_release_is_flagged_in_every_place_that_cites_it(world: ApiWorld) -> None:
    gone = withdrawn(world)
    name = gone.body.id
    published = PublishedForecast.model_validate_json(world.http.get("/v1/forecasts/latest").content)
    assert published.flagged == (name,)
    assert "counted twice" in page(world)
    assert 'role="alert"' in page(world)
    assert world.http.get("/forecast.csv").text.rstrip().endswith(",yes")
    model_card = page(world).partition('id="method"')[2]
    assert name in model_card.partition("</section>")[0]
    (summary,) = world.gateway().releases()
    assert summary.state is ReleaseState.WITHDRAWN
    assert [each.state for each in disclosures(world.gateway("ccib#connector-1"))] == ["withdrawn"]


def test_tables_and_exports_carry_it_along(world: ApiWorld, tmp_path: Path) -> None:
    result = Result(withdrawn(world))
    assert "NO LONGER VALID · withdrawn: counted twice" in str(release_table(result).title)
    states = releases_table(world.gateway().releases()).columns[3].cells
    assert [str(each) for each in states] == ["NO LONGER VALID · withdrawn"]
    for ending in ("csv", "parquet", "xlsx"):
        result.export(tmp_path / f"answer.{ending}")
    assert set(pd.read_csv(tmp_path / "answer.csv")["release_state"]) == {"withdrawn"}
    assert parquet.read_table(tmp_path / "answer.parquet").schema.metadata[b"reason"] == b"counted twice"
    rows = openpyxl.load_workbook(tmp_path / "answer.xlsx")["about"].iter_rows(values_only=True)
    about = {str(row[0]): row[1] for row in rows}
    assert (about["state"], about["reason"]) == ("withdrawn", "counted twice")


def test_a_replaced_release_names_its_successor(world: ApiWorld) -> None:
    released = asked(world, PUBLIC, "REQ-0001")
    better = asked(world, PUBLIC.model_copy(), "REQ-0003")
    reason = Withdrawal(
        release=released.body.id, state=ReleaseState.SUPERSEDED, reason="better data", replaced_by=better.body.id
    )
    world.gateway().withdraw(reason)
    shown = Result(world.gateway().release(released.body.id).release)
    assert f"→ {better.body.id}" in str(release_table(shown).title)
