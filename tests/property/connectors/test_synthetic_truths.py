"""Every truth that is planted in the made-up data is found again in released figures, through bound and noise."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from connectors.compile import compile_query, run
from connectors.snapshot import refresh
from connectors.sources import open_source
from connectors.synthetic.generate import GeneratedInfo, generate
from connectors.synthetic.truths import Planted, TruthKind
from contracts.dataset import DatasetContract
from contracts.grid import grid_of
from contracts.odcs import bundled_text, read_contract
from contracts.query import Query
from privacy.mechanisms import draw_gaussian, gaussian_scale
from tests import factories

pytestmark = pytest.mark.property

UNTIL = date(2026, 1, 1)
MONTHS = 40
SCALE = 0.1
NANO_RHO = 200_000_000
BEGIN = date(2022, 9, 1)


@dataclass(frozen=True, slots=True)
class Agency:
    """A made-up agency and its snapshot."""

    contract: DatasetContract
    snapshot: Path
    info: GeneratedInfo

    def released(
        self, *dimensions: str, since: date = BEGIN, until: date = UNTIL, **where: tuple[str, ...]
    ) -> npt.NDArray[np.int64]:
        """Noisy counts by those dimensions, one axis each."""
        query = Query.model_validate(
            {
                "measures": ("count",),
                "dimensions": dimensions,
                "where": where,
                "period": {"from": since, "until": until},
            }
        )
        grid = grid_of(query, self.contract)
        exact = run(self.snapshot, compile_query(query, self.contract, grid), query, grid)["count"]
        noisy = draw_gaussian(exact, gaussian_scale(self.contract.unit.rows_per_window**2, NANO_RHO))
        return np.array(noisy).reshape([len(axis.values) for axis in grid.axes])

    def planted(self, kind: TruthKind) -> Planted:
        """The one truth of that kind."""
        (found,) = (each for each in self.info.truths if each.truth.kind is kind)
        return found

    def months_before(self, planted: Planted) -> int:
        """How many months come before the truth."""
        return MONTHS - planted.truth.months_before_end


def _agency(dataset: str, folder: Path) -> Agency:
    url = f"parquet:///{folder}"
    info = generate(dataset, url, SCALE, MONTHS, UNTIL, 11)
    contract = read_contract(bundled_text(dataset))
    refresh(folder / "snapshot.duckdb", open_source(url), contract, b"a secret of the connector", factories.NOW)
    return Agency(contract, folder / "snapshot.duckdb", info)


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory) -> Agency:
    return _agency("crimes_case", tmp_path_factory.mktemp("police"))


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> Agency:
    return _agency("tpo_complaint", tmp_path_factory.mktemp("online"))


def test_the_province_whose_property_crime_jumps_stands_out_among_all(police: Agency) -> None:
    jump = police.planted(TruthKind.JUMP)
    counts = police.released("province", "month", offence_group=("G2",))
    before = police.months_before(jump)
    large = counts[:, :before].mean(axis=1) > 15
    ratio = counts[:, before:].mean(axis=1) / np.maximum(counts[:, :before].mean(axis=1), 1)
    provinces = np.array(police.contract.dimension("province").values)  # type: ignore[union-attr]  # it has one
    assert provinces[large][ratio[large].argmax()] == jump.truth.province
    assert ratio[provinces == jump.truth.province][0] == pytest.approx(jump.truth.factor, rel=0.25)


def test_the_hours_of_robbery_move_to_the_evening(police: Agency) -> None:
    shift = police.planted(TruthKind.HOUR_SHIFT)
    offences, begin = tuple(shift.truth.categories), date.fromisoformat(f"{shift.since}-01")
    early = police.released("hour", until=begin, offence=offences)
    late = police.released("hour", since=begin, offence=offences)
    in_the_evening = slice(18, 24)
    assert early[in_the_evening].sum() / early.sum() < 0.3
    assert late[in_the_evening].sum() / late.sum() > 0.4


def test_the_rising_fraud_grows_fastest_of_the_common_ones(online: Agency) -> None:
    rise = online.planted(TruthKind.RISE)
    before = online.months_before(rise)
    counts = online.released("case_type", "month")
    codes = online.contract.dimension("case_type").values  # type: ignore[union-attr]  # it has one
    common = counts.mean(axis=1) > 50
    growth = counts[:, -12:].mean(axis=1) / np.maximum(counts[:, :before].mean(axis=1), 1)
    fastest = np.array(codes)[common][growth[common].argmax()]
    assert {fastest} == rise.truth.categories
