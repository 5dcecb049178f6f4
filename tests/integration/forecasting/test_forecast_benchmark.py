"""``./run bench forecast``: its sets are read right, its figures add up, and it runs at a size for every day."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.forecast import TARGETS, Asked, jobs_of, main
from benchmarks.forecast_goals import GOALS, print_goals
from benchmarks.forecast_jobs import Done, Job, Noise, run_all
from benchmarks.forecast_sets import CITY_FILE, STATE_FILE, TrialSet, city_set, city_week_set, state_set
from benchmarks.forecast_tables import Found, lines_of, losses
from forecasting.evaluation import LevelScore
from forecasting.synthetic_thai import Made

pytestmark = pytest.mark.integration


def row(trial: TrialSet, level: int, key: tuple[str, str]) -> list[float]:
    panel = trial.truth.levels[level]
    found: list[float] = panel.figures[list(panel.counts.index).index(key)].tolist()
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / STATE_FILE).parent.mkdir()
    (tmp_path / CITY_FILE).parent.mkdir()
    months = pd.date_range("2019-01-01", "2020-03-01", freq="MS")
    areas = (("c1", "a1", "r1"), ("c2", "a1", "r1"), ("c3", "a2", "r1"))
    state = [
        {
            "unique_id": f"{area}/x",
            "ds": month,
            "y": float(number),
            "area": area,
            "aisp": up,
            "risp": top,
            "offence": "x",
        }
        for area, up, top in areas
        for number, month in enumerate(months)
    ]
    pd.DataFrame(state).to_parquet(tmp_path / STATE_FILE)
    city = [
        ("2020-01-15", "D01P1", "01", "theft"),
        ("2020-01-31", "D01P2", "01", "theft"),
        ("2020-01-01", "D02P1", "02", "arson"),
        ("2020-03-31", "D01P1", "01", "theft"),
        ("2020-04-15", "D01P1", "01", "theft"),
    ]
    frame = pd.DataFrame(city, columns=["date", "area", "district", "offence"])
    frame["date"] = pd.to_datetime(frame["date"]).dt.date
    frame.assign(incident=range(len(city)), hour=0).to_parquet(tmp_path / CITY_FILE)
    return tmp_path


def test_the_state_set_is_a_tree_of_its_areas(data: Path) -> None:
    trial = state_set(data)

    assert [len(level.counts) for level in trial.truth.levels] == [1, 1, 2, 3]
    assert row(trial, 2, ("a1", "x")) == [2.0 * month for month in range(15)]
    assert trial.levels[2] == trial.target


def test_windows_are_the_last_months_of_whatever_is_given(data: Path) -> None:
    horizon, origins, season = state_set(data).window

    assert (horizon, season) == (6, 12)
    assert origins == (-21, -15, -9, -3, 3, 9)  # of these fifteen months; of more, always the last 36


def test_months_that_are_not_over_are_left_out_and_empty_ones_are_zero(data: Path) -> None:
    trial = city_set(data)
    leaves = trial.truth.levels[-1].counts

    assert [str(month) for month in leaves.columns] == ["2020-01", "2020-02", "2020-03"]
    assert row(trial, -1, ("D01P1", "theft")) == [1.0, 0.0, 1.0]
    assert row(trial, -1, ("D02P1", "theft")) == [0.0, 0.0, 0.0]
    assert row(trial, 1, ("01", "theft")) == [2.0, 0.0, 1.0]


def test_weeks_are_whole_from_monday_to_sunday(data: Path) -> None:
    trial = city_week_set(data)
    weeks = pd.PeriodIndex(trial.truth.levels[-1].counts.columns)

    # The first of January 2020 was a Wednesday, the fifteenth of April too.
    assert weeks[0].start_time == pd.Timestamp("2020-01-13")
    assert weeks[-1].end_time.normalize() == pd.Timestamp("2020-04-05")
    assert (trial.season, trial.horizon, trial.origins) == (52, 4, 8)
    assert trial.truth.levels[0].figures.sum() == 3.0


NOISES = (Noise(1.0), Noise(2.0), Noise(4.0, year=True))


def asked(parts: Sequence[str], runs: int = 3) -> Asked:
    return Asked(tuple(parts), None, 1, runs, NOISES, Made(), slow=False)


def test_every_epsilon_is_drawn_as_often_as_asked() -> None:
    jobs = jobs_of(asked(("state", "speed", "city_week")))

    for noise in NOISES[:2]:
        assert [job.run for job in jobs if job.noise == noise and job.set_name == "state"] == [0, 1, 2]
        assert len([job for job in jobs if job.noise == noise and job.set_name == "city_week"]) == 1
    assert [job.noise for job in jobs if job.noise.year] == [Noise(4.0, year=True)]
    assert {job.set_name for job in jobs} == {"state", "city_week"}


def done(noise: Noise, run: int, wape: float, model: str = "engine") -> Done:
    line = LevelScore(model, "aisp", 2, 2 * wape, wape, 0.1, 0.8, 0.95, None)
    return Done(Job("state", noise=noise, run=run), (line,), 1.0)


def test_runs_are_averaged_and_losses_are_fractions_of_raw() -> None:
    lines = lines_of([done(Noise(), 0, 0.20), done(Noise(1.0), 0, 0.21), done(Noise(1.0), 1, 0.25)])
    found = Found(lines)

    assert found.value("state/eps1/aisp/engine", "wape") == pytest.approx(0.23)
    assert lines[1].ranges["wape"] == pytest.approx(0.04)
    assert found.value("state/eps1/aisp/engine", "cov80") == pytest.approx(80.0)
    assert losses(found, "state/aisp", (Noise(1.0), Noise(2.0))) == pytest.approx(
        {"state_eps1_wape": 0.15, "state_eps1_mase": 0.15, "state_eps1_crps": 0.0}
    )
    assert found.figures()["state_raw_aisp_engine_mase"] == pytest.approx(0.4)
    assert found.ratio("state/eps1/aisp/engine", "state/eps1/aisp/nobody", "wape") is None


def test_a_missed_goal_is_called_missed(capsys: pytest.CaptureFixture[str]) -> None:
    print_goals({"state_mase": 0.8951, "state_cov80": 83.0}, {"state_crps_skill": 0.249})

    told = capsys.readouterr().out.splitlines()[3:]
    assert [line.split()[-2] for line in told] == ["MISSED", "MISSED", "holds"]
    assert len({goal.key for goal in GOALS}) == len(GOALS)


def test_names_of_noise_tell_month_and_year() -> None:
    assert [noise.name for noise in (Noise(), Noise(0.5), Noise(2.0), Noise(4.0, year=True))] == [
        "raw",
        "eps0_5",
        "eps2",
        "year4",
    ]
    assert Noise(4.0, year=True).month_epsilon == pytest.approx(1.034, abs=0.01)
    assert set(TARGETS) == {"state", "city", "city_week", "thai"}


SMALL = Made(provinces=5, offences=2, months=84, mean=40.0)


def test_the_whole_trial_runs_on_a_small_made_up_set() -> None:
    jobs = [Job("thai", made=SMALL), Job("thai", made=SMALL, noise=Noise(0.05))]

    found = Found(lines_of(run_all(jobs, 1)))

    def value(noise: str, model: str, metric: str) -> float:
        known = found.value(f"thai/{noise}/province/{model}", metric)
        assert known is not None
        return known

    assert value("raw", "engine", "mase") < value("raw", "seasonal-naive", "mase")
    assert value("raw", "poisson-oracle", "wape") < value("raw", "engine", "wape")
    assert value("raw", "engine", "wape") < value("eps0_05", "engine", "wape")
    assert value("eps0_05", "engine", "coherence") < 1e-6
    assert value("raw", "engine", "coherence") < 1e-6
    assert np.isfinite(value("raw", "autoets", "mase"))


def test_without_the_real_sets_it_says_so_and_exits_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.forecast", "--data", str(tmp_path)]

    finished = subprocess.run(command, capture_output=True, text=True, check=False)

    assert finished.returncode == 2
    assert "--synthetic" in finished.stderr


def test_a_part_needs_no_more_than_its_own_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "state_monthly" / "counts.parquet"
    file.parent.mkdir()
    file.touch()

    with pytest.raises(SystemExit) as caught:
        main(["--data", str(tmp_path), "--only", "city,state"])

    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert "incidents.parquet" in told
    assert "counts.parquet" not in told


def test_a_part_that_it_has_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--only", "moon"])

    assert caught.value.code == 2
    assert "moon" in capsys.readouterr().err


SMALLEST = ("--provinces", "2", "--offences", "1", "--runs", "1", "--processes", "1", "--epsilons", "1", "--years", "")


def test_its_json_has_figures_and_ratios_under_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--synthetic", "--only", "thai", *SMALLEST, "--json"])

    made = json.loads(capsys.readouterr().out)
    assert made["name"] == "forecast"
    assert {"thai_mase", "eps1_person_year_epsilon", "thai_raw_province_engine_cov80"} <= set(made["figures"])
    assert {"thai_vs_snaive", "thai_crps_skill", "thai_eps1_wape", "thai_eps1_mase"} <= set(made["ratios"])
    assert made["figures"]["eps1_person_year_epsilon"] == pytest.approx(3.863, abs=0.01)
