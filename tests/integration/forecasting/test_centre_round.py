"""The centre against a whole gateway with real keys, noise, log and routes: asked, released, forecast, published."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typing_extensions import override

from contracts.agreement import Agreement
from contracts.analysis import AnalysisKind
from contracts.canonical import canonical_bytes
from contracts.dataset import DatasetContract, Grain
from contracts.errors import Unavailable
from contracts.forecast import Forecast
from contracts.keys import key_file_name
from contracts.query import Family, FamilyTable, Series
from contracts.release import ReleaseState, Withdrawal
from contracts.request import Request
from contracts.task import Lease, LeaseCall
from contracts.transparency import EventKind, LogEntry
from contracts.views import RequestStatus
from forecasting.cells import cell_table
from forecasting.run import look_ahead_hierarchy
from gateway.centre.home import Asked, CentreHome
from gateway.centre.main import open_centre
from gateway.centre.run import Centre
from gateway.centre.settings import CentreSettings
from gateway.centre.standing_analyses import ANALYSES
from gateway.centre.windows import period_of
from gateway.client import Gateway
from tests import api_world, factories
from tests.api_world import ApiWorld
from tests.centre_world import flat_outlook
from tests.factories import ISSUER
from transport.proxied import ClientLine

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 10, 3, 0, tzinfo=UTC)
COVERED = {"first_month": "2021-01", "last_month": "2027-12", "purposes": ("crime-forecasting",)}
MONTH = factories.dimension("month", grain=Grain.MONTH)
GROUPS = factories.dimension("offence_group", ("G1", "G2", "G3"))
CONTRACTS: tuple[DatasetContract, ...] = (
    factories.contract(
        id="crimes_case",
        agency="rtp",
        dimensions=(
            MONTH,
            factories.dimension("province", ("10", "50")),
            GROUPS,
        ),
        measure_columns=(),
        **COVERED,
    ),
    factories.contract(
        id="tpo_complaint",
        version="2.0.0",
        dimensions=(MONTH, factories.dimension("case_type", ("romance_scam", "call_center"))),
        **COVERED,
    ),
)
BY_NAME = {each.id: each for each in CONTRACTS}
ACTIVITIES = {"crimes-monthly": "crimes_case", "crimes-daily": "crimes_case", "tpo-monthly": "tpo_complaint"}
PRICE = 100_000_000
TABLES = (("month",), ("month", "offence_group"), ("month", "province"), ("month", "offence_group", "province"))
FAMILY = Family(tables=tuple(FamilyTable(by=by) for by in TABLES))


def standing_agreement() -> Agreement:
    activities = tuple(
        factories.activity(
            (BY_NAME[dataset],),
            id=activity,
            purpose="crime-forecasting",
            dimensions=tuple(each.name for each in BY_NAME[dataset].dimensions),
            measures=BY_NAME[dataset].measures,
            nano_rho_per_request=PRICE,
            families=(FAMILY,) if activity == "crimes-monthly" else (),
        )
        for activity, dataset in ACTIVITIES.items()
    )
    period = factories.period("2026-10-01", "2027-10-01")
    return factories.agreement(CONTRACTS, id="oja-forecasting", activities=activities, period=period)


class Answered(Gateway):
    """A line to a gateway whose connectors answer at once."""

    world: ApiWorld

    @override
    def submit(self, request: Request) -> RequestStatus:
        status = super().submit(request)
        for contract in CONTRACTS:
            self._work(contract)
        self.world.later(3600)
        return status

    def _work(self, contract: DatasetContract) -> None:
        connector = self.world.member(f"{contract.agency}#connector-1")
        call = LeaseCall(agency=contract.agency, data_versions={contract.id: 1}, wait_seconds=0)
        lease = Lease.model_validate_json(connector.post("/v1/tasks:lease", call).content)
        for leased in lease.tasks:
            part = self.world.world.part(leased.task, contract, level=200)
            assert connector.answer(leased.task, part).status_code == 204


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorld]:
    with api_world.running(tmp_path / "gateway") as made:
        made.now = NOW
        made.world.register(CONTRACTS, standing_agreement())
        yield made


@pytest.fixture
def centre(world: ApiWorld, tmp_path: Path) -> Centre:
    key = world.keys["oja#client-1"]
    line = Answered(ISSUER, key, "oja", world.keys.federation, clock=lambda: world.now, line=ClientLine(world.http))
    line.world = world
    home = CentreHome(tmp_path / "centre")
    home.folder.make()
    given = {"home": home.path, "agency": "oja", "gateway": ISSUER, "agreement": "oja-forecasting"}
    return Centre(CentreSettings.model_validate(given), home, line, lambda: world.now, analyses=(), ahead=flat_outlook)


def logged(world: ApiWorld, kind: EventKind) -> list[LogEntry]:
    return [entry for entry in world.world.log() if entry.kind is kind]


def spent(centre: Centre, source: str) -> dict[str, int]:
    """What each window of a source was charged, in prices of the centre's activities."""
    lines = (each for each in centre_line(centre).budget() if each.source == source)
    return {line.window: line.spent // PRICE for line in lines if line.spent}


def test_a_round_releases_the_standing_series_and_publishes_a_forecast_that_cites_its_own(
    world: ApiWorld, centre: Centre
) -> None:
    done = replace(centre, ahead=look_ahead_hierarchy).round()

    assert (done.problems, done.gaps) == ({}, {})
    assert {name: len(releases) for name, releases in done.releases.items()} == {
        "crimes-monthly": 6,
        "crimes-daily": 2,
        "tpo-monthly": 6,
    }
    assert "dop-monthly" in done.skipped
    published = centre_line(centre).latest_forecast()
    assert published.forecast.id == done.forecast
    assert published.flagged == ()
    assert [each.release for each in published.forecast.citations] == list(done.releases["crimes-monthly"])
    assert len(published.forecast.series) == 6
    assert all(190 < figure < 210 for each in published.forecast.series for figure in each.mean)
    assert len(logged(world, EventKind.DATA_RELEASED)) == 14
    assert len(logged(world, EventKind.FORECAST_PUBLISHED)) == 1


def test_a_second_round_costs_nothing_and_publishes_nothing(world: ApiWorld, centre: Centre) -> None:
    centre.round()
    before = spent(centre, "rtp/crimes_case")
    assert centre.home.asked() == Asked()

    again = centre.round()

    assert not again.published
    assert (again.problems, again.gaps) == ({}, {})
    assert spent(centre, "rtp/crimes_case") == before
    assert len(logged(world, EventKind.DATA_RELEASED)) == 14
    assert len(logged(world, EventKind.FORECAST_PUBLISHED)) == 1


def test_the_months_of_a_fiscal_year_asked_one_by_one_cost_one_charge(world: ApiWorld, centre: Centre) -> None:
    centre.round()
    first = spent(centre, "ccib/tpo_complaint")

    for months in (1, 2):
        world.later(30 * 24 * 3600)
        done = centre.gather()
        assert (done.problems, len(done.releases("tpo-monthly"))) == ({}, 6 + months)

    assert first == dict.fromkeys(("FY2565", "FY2566", "FY2567", "FY2568", "FY2569", "FY2570"), 1)
    assert spent(centre, "ccib/tpo_complaint") == first
    assert spent(centre, "rtp/crimes_case") == first | {"FY2569": 2, "FY2570": 2}


def test_a_revision_is_charged_once_for_its_window_and_the_newest_figures_are_read(
    world: ApiWorld, centre: Centre
) -> None:
    centre.gather()
    before = spent(centre, "rtp/crimes_case")

    centre.revise("crimes-monthly", period_of(["2026-03"]), "stations reported late")
    first = centre.gather()
    centre.revise("crimes-monthly", period_of(["2026-04"]), "stations reported late")
    revised = centre.gather()

    assert (first.problems, revised.problems) == ({}, {})
    assert spent(centre, "rtp/crimes_case") == before | {"FY2569": before["FY2569"] + 1}
    bodies = [each.body for each in revised.releases("crimes-monthly")]
    assert len(bodies) == 6 + 2
    read = cell_table(bodies, "crimes_case", "count", ["month"]).releases
    assert {body.id for body in bodies if body.query.series == Series(revision=1)} <= set(read)


def test_a_withdrawn_release_is_a_gap_and_what_cited_it_is_flagged(world: ApiWorld, centre: Centre) -> None:
    first = centre.round()
    oldest = first.releases["crimes-monthly"][0]
    withdrawal = Withdrawal(release=oldest, state=ReleaseState.WITHDRAWN, reason="counted twice")
    centre_line(centre).withdraw(withdrawal)

    done = centre.round()

    assert done.published
    assert done.gaps["crimes-monthly"] == tuple(f"2021-{month}" for month in (11, 12)) + tuple(
        f"2022-{month:02d}" for month in range(1, 10)
    )
    assert oldest not in done.releases["crimes-monthly"]
    published = {each.id: each.flagged for each in centre_line(centre).forecasts()}
    assert published == {first.forecast: (oldest,), done.forecast: ()}


def test_an_analysis_is_made_of_the_releases_and_published_for_everybody(world: ApiWorld, centre: Centre) -> None:
    done = replace(centre, analyses=ANALYSES[:1]).round()

    assert done.analysis_problems == {}
    made = centre_line(centre).latest_analysis(AnalysisKind.WARNINGS)
    assert made.analysis.id == done.analyses["warnings"]
    assert made.analysis.report.public
    assert [each.release for each in made.analysis.citations] == list(done.releases["crimes-monthly"])


def test_a_forecast_is_canonical_and_reads_back(centre: Centre) -> None:
    centre.round()
    forecast = centre_line(centre).latest_forecast().forecast

    assert Forecast.model_validate_json(canonical_bytes(forecast)) == forecast


def test_the_centre_opens_with_the_keys_of_its_home(world: ApiWorld, tmp_path: Path) -> None:
    home = CentreHome(tmp_path / "opened")
    home.folder.make()
    key = home.path / "keys" / key_file_name("oja#client-1")
    home.folder.write(key, world.keys["oja#client-1"].to_pem())
    home.folder.pin(world.keys.federation)
    given = {"home": home.path, "agency": "oja", "gateway": "http://127.0.0.1:9", "agreement": "oja-forecasting"}

    with open_centre(CentreSettings.model_validate(given), lambda: NOW) as opened:
        assert opened.home == home
        with pytest.raises(Unavailable) as error:
            opened.gather()

    assert error.value.code == "gateway-unreachable"


def centre_line(centre: Centre) -> Gateway:
    assert isinstance(centre.line, Gateway)
    return centre.line
