"""The transparency page over the real log: in Thai and English, as CSV and JSON, and never before a month is over."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest

from contracts.checkpoints import verify_checkpoint
from contracts.errors import Refused
from contracts.log_usage import Usage
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


def ask(world: World, name: str) -> None:
    world.submit(request(id=name))
    world.answer()
    world.later()
    world.exchange.status(world.caller(), name)


def refuse(world: World, name: str) -> None:
    with pytest.raises(Refused):
        world.submit(request(id=name, nano_rho=2**40))


def test_the_running_month_is_not_told(world: ApiWorld) -> None:
    usage = Usage.model_validate_json(world.http.get("/transparency.json").content)

    assert (usage.until, usage.lines) == ("2026-01", ())
    assert "No month is over yet" in world.http.get("/transparency?lang=en").text


def test_a_month_that_is_over_is_told_coarsely_with_its_checkpoint(world: ApiWorld) -> None:
    world.now += timedelta(days=31)
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
