"""A daily counter from the command line: asked month by month at one price, and put together with its errors."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from contracts.errors import InvalidInput
from contracts.query import Series
from contracts.release import Release, ReleaseState, Withdrawal
from gateway.counter_totals import counted_runs
from saphan.client_commands import app
from saphan.client_tables import totals_table
from tests import factories
from tests.gateway_world import CONTRACT
from tests.served_world import Served, served_gateway

pytestmark = pytest.mark.integration

AGREED = factories.agreement((CONTRACT,), period=factories.period("2025-10-01", "2056-10-01"))
UNDER = ("--agreement", AGREED.id, "--activity", factories.ACTIVITY, "--nano-rho", "10000000")
MONTHS = (("2025-10-01", "2025-11-01"), ("2025-11-01", "2025-12-01"))


class Desk:
    """A member's terminal."""

    def __init__(self, served: Served, home: Path) -> None:
        self.served, self.home = served, home

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--home", str(self.home)])

    def asked(self, start: str, until: str, *more: str) -> Release:
        question = ("ask", *UNDER, "--from", start, "--until", until, *more)
        self.run(*question, "--wait", "0")
        self.served.world().answer()
        answered = self.run(*question, "--wait", "20", "--json")
        assert answered.exit_code == 0, answered.stderr
        return Release.model_validate_json(answered.stdout)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("counter")
    with served_gateway(folder / "gateway") as served:
        served.world().register((CONTRACT,), AGREED)
        yield Desk(served, served.member_home(folder / "oja", "oja"))


@pytest.fixture(scope="module")
def counted(desk: Desk) -> tuple[Release, Release]:
    first, second = (desk.asked(*months, "--counter") for months in MONTHS)
    return first, second


def test_a_counter_is_charged_once_and_its_releases_are_put_together(desk: Desk, counted: tuple[Release, ...]) -> None:
    assert [len(each.body.charges) for each in counted] == [1, 0]

    told = desk.run("release", "totals", *(each.body.id for each in counted), "--json")

    assert told.exit_code == 0, told.stderr
    (run,) = json.loads(told.stdout)
    assert (run["window"], run["since"], run["until"], len(run["days"])) == ("FY2569", "2025-10-01", "2025-12-01", 61)
    sigma = counted[0].body.released[0].sigma
    assert all(0 < day["count_error_95"] <= 2 * sigma for day in run["days"])
    # Every node was answered with 1000, so the days add up to far less than 61 times that.
    assert run["days"][-1]["total_error_95"] < 1.96 * sigma * 3


def test_the_totals_are_a_table_of_days_with_the_average_below(counted: tuple[Release, ...]) -> None:
    table = totals_table(counted_runs(counted))

    assert table.row_count == 62
    assert [str(column.header) for column in table.columns][:2] == ["day", "count"]


def test_releases_that_are_no_one_counter_are_told_apart(desk: Desk, counted: tuple[Release, ...]) -> None:
    plain = desk.asked(*MONTHS[0], "--by", "month", "--series", "0")

    told = desk.run("release", "totals", counted[0].body.id, plain.body.id, "--json")

    assert (told.exit_code, "not-one-counter" in told.stdout) == (2, True)


def test_a_counter_without_its_form_is_refused_before_it_is_asked(desk: Desk) -> None:
    told = desk.run("ask", *UNDER, "--from", "2025-10-01", "--until", "2025-11-01", "--counter", "--by", "month")

    assert (told.exit_code, "malformed-body" in told.stderr) == (2, True)


def test_other_series_overlaps_and_withdrawn_releases_do_not_count(counted: tuple[Release, ...]) -> None:
    first, second = counted
    revised = second.body.query.model_copy(update={"series": Series(revision=1)})
    other = second.model_copy(update={"body": second.body.model_copy(update={"query": revised})})
    gone = Withdrawal(release=second.body.id, state=ReleaseState.WITHDRAWN, reason="wrong")
    for releases, why in (
        ((first, other), "another series"),
        ((first, first), "overlaps"),
        ((first, second.model_copy(update={"withdrawal": gone})), "withdrawn"),
    ):
        with pytest.raises(InvalidInput, match="not-one-counter") as refusal:
            counted_runs(releases)
        assert why in refusal.value.details["why"]
