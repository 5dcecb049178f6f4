"""The transparency page over the real log: in Thai and English, as CSV and JSON, and never before a month is over."""

import csv
import io
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from contracts.checkpoints import verify_checkpoint
from contracts.errors import Refused, Unavailable
from contracts.log_usage import Usage
from gateway.means import Means
from gateway.public_usage import PublicUsage
from gateway.store.engine import Store
from tests.api_world import ApiWorld, request
from tests.gateway_world import World

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    made = ApiWorld(tmp_path_factory.mktemp("transparency") / "home")
    with made.http:
        inside = made.world
        for number in range(12):
            ask(inside, f"REQ-{number:04d}")
        for number in range(3):
            refuse(inside, f"BAD-{number:04d}")
        yield made


def usage_of(world: ApiWorld) -> PublicUsage:
    """What the page reads; the gateway counts anew at its ticks, which these tests do not wait for."""
    usage: PublicUsage = world.app.state.usage
    return usage


def ask(world: World, name: str) -> None:
    world.submit(request(id=name))
    world.answer()
    world.later()
    world.exchange.status(world.caller(), name)


def refuse(world: World, name: str) -> None:
    with pytest.raises(Refused):
        world.submit(request(id=name, nano_rho=2**40))


def test_the_gateway_counts_by_itself_when_it_starts(world: ApiWorld) -> None:
    until = time.monotonic() + 10
    while world.http.get("/transparency.json").status_code != 200 and time.monotonic() < until:
        time.sleep(0.01)

    assert world.http.get("/transparency.json").status_code == 200


def test_the_running_month_is_not_told(world: ApiWorld) -> None:
    usage = Usage.model_validate_json(world.http.get("/transparency.json").content)

    assert (usage.until, usage.lines) == ("2026-01", ())
    assert "No month is over yet" in world.http.get("/transparency?lang=en").text


def test_a_month_that_is_over_is_told_coarsely_with_its_checkpoint(world: ApiWorld) -> None:
    world.now += timedelta(days=31)
    # Who reads the page begins no count.
    assert Usage.model_validate_json(world.http.get("/transparency.json").content).until == "2026-01"
    usage_of(world).count()
    answer = world.http.get("/transparency.json")
    usage = Usage.model_validate_json(answer.content)

    (line,) = usage.lines
    assert (line.month, line.requester, line.agency, line.purpose) == ("2026-01", "oja", "ccib", "crime-prevention")
    assert (line.requests, line.refused) == (10, None)
    assert [each.times for each in line.reasons] == [None]
    assert verify_checkpoint(usage.checkpoint, world.world.log_keys()).size == usage.log_size
    assert b"REQ-" not in answer.content


def test_the_page_speaks_both_languages(world: ApiWorld) -> None:
    thai, english = (world.http.get(f"/transparency?lang={lang}").text for lang in ("th", "en"))

    assert "ใครขอข้อมูลจากใคร" in thai
    assert "ไม่ถึง 10" in thai
    assert "oja → ccib" in english
    assert "fewer than 10" in english
    assert "<script" not in english
    assert "REQ-" not in english
    assert world.http.get("/transparency").headers["content-security-policy"]


def test_the_same_is_there_as_csv(world: ApiWorld) -> None:
    text = world.http.get("/transparency.csv").content.decode("utf-8-sig")
    (row,) = list(csv.DictReader(io.StringIO(text)))

    assert (row["agency"], row["requests"], row["refused"]) == ("ccib", "10", "<10")
    assert row["reasons"].endswith("=<10")


@dataclass
class Surroundings:
    """Gives the gateway's surroundings, and says how often it was asked for them; it can fail."""

    means: Means
    asked: int = 0
    fails: bool = False

    def __call__(self) -> Means:
        self.asked += 1
        return replace(self.means, store=Store("sqlite:////nowhere/gateway.db")) if self.fails else self.means


def test_many_readers_begin_no_count_and_are_told_while_there_is_none(world: ApiWorld) -> None:
    surroundings = Surroundings(world.desk.exchange.means)
    usage = PublicUsage(surroundings)
    for _ in range(40):
        with pytest.raises(Unavailable) as caught:
            usage()
        assert caught.value.code == "usage-not-counted"
    assert surroundings.asked == 0
    usage.count()
    assert usage().until == "2026-02"


def test_a_month_is_counted_once(world: ApiWorld) -> None:
    usage = PublicUsage(lambda: world.desk.exchange.means)
    usage.count()
    first = usage()
    usage.count()
    assert usage() is first


def test_a_count_that_failed_is_not_tried_at_each_tick(world: ApiWorld) -> None:
    surroundings = Surroundings(world.desk.exchange.means, fails=True)
    usage = PublicUsage(surroundings)
    with pytest.raises(sqlite3.OperationalError):
        usage.count()
    surroundings.fails = False
    usage.count()
    with pytest.raises(Unavailable):
        usage()
    world.now += timedelta(minutes=10)
    usage.count()
    assert usage().until == "2026-02"
