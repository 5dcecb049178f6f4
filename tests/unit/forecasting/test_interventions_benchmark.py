"""The benchmark of interventions: its generator, its real series, its figures."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import interventions
from benchmarks.interventions import figures
from benchmarks.interventions_generator import MONTHS_BEFORE, Generator
from benchmarks.interventions_real import FILE, SEEN, RealAreas
from benchmarks.interventions_trial import Counts, Trial, tried
from forecasting.seasons import YEAR

pytestmark = pytest.mark.unit

SMALL = Generator(areas=60, batch=25)


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_one_area_of_the_generator_is_dominant_and_grows() -> None:
    [counts] = Generator(batch=20).batches(generator(), 20)
    volume = counts.past[:, :, -YEAR:].sum(axis=2)
    first = counts.past[:, 0, :YEAR].sum(axis=1)

    assert counts.past.shape == (20, 500, MONTHS_BEFORE)
    assert np.median(volume[:, 0] / volume.sum(axis=1)) == pytest.approx(0.10, abs=0.02)
    assert np.median(np.log(volume[:, 0] / first)) == pytest.approx(2 * 0.15, abs=0.15)
    # More than chance: the variance of a month's counts between the runs exceeds their mean many times over.
    assert (counts.past[..., -1].var(axis=0) > 3 * counts.past[..., -1].mean(axis=0)).all()


def test_the_same_seed_gives_the_same_figures_and_effects_are_noticed() -> None:
    trial = Trial((0.0, -0.3), 100, 12, 0.0)
    null, large = tried(SMALL, trial, generator())

    assert tried(SMALL, trial, generator()) == (null, large)
    assert null.noticed == pytest.approx(1.0 - null.covered)
    assert null.noticed < 0.15
    assert large.noticed > 0.9
    assert large.covered > 0.85


def test_noise_widens_and_does_not_break_the_interval() -> None:
    exact, protected = (tried(SMALL, Trial((-0.15,), 100, 12, noise), generator())[0] for noise in (0.0, 30.0))

    assert protected.noticed < exact.noticed
    assert protected.covered > 0.87


def state_file(folder: Path) -> Path:
    """Twenty areas of two offences over eight years."""
    rng = generator()
    months = pd.date_range("2010-03-01", periods=96, freq="MS")
    rows = [
        {"area": f"C{area:02d}", "offence": offence, "ds": month, "y": float(rng.poisson(60))}
        for area in range(20)
        for offence in ("theft", "assault")
        for month in months
    ]
    (folder / FILE).parent.mkdir()
    pd.DataFrame(rows).to_parquet(folder / FILE)
    return folder


def test_real_series_are_cut_at_their_own_months(tmp_path: Path) -> None:
    areas = RealAreas.read(state_file(tmp_path))
    batches: list[Counts] = list(areas.batches(generator(), 40))

    assert areas.counts.shape == (20, 96)
    assert sum(len(each.past) for each in batches) == 40
    assert {each.past.shape[2] for each in batches} == {SEEN}
    for each in batches:
        # The month of the year of a start is that of the column it was cut at.
        start = next(n for n in range(SEEN, 85) if (areas.counts[:, n - SEEN : n] == each.past[0]).all())
        assert (2 + start) % YEAR == each.calendar
        assert (areas.counts[:, start : start + 12].sum(axis=1) == each.after[0]).all()
    assert areas.noise == pytest.approx(Generator(groups=2).noise)


def test_figures_of_both_worlds_stand_under_names_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interventions, "Generator", lambda: SMALL)
    monkeypatch.setattr(interventions, "TREATED", 5)
    found = figures(state_file(tmp_path), runs=10)

    assert found == figures(tmp_path, runs=10)
    for world in ("generator", "generator_eps1", "state", "state_eps1"):
        assert {f"{world}_null_rejected", f"{world}_minus15_power", f"{world}_minus5_coverage"} <= set(found)
    assert "state_null_rejected" not in figures(None, runs=10)


def test_absent_data_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["interventions", "--data", str(tmp_path)])

    assert interventions.main() == 2
    assert "leave --data out" in capsys.readouterr().err
