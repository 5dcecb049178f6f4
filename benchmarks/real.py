"""Real incidents through the whole exchange: ``./run bench real --data DIR [--json]``.

Three agencies hold a third of a city's districts each, under three contracts of one template that are declared
disjoint. One question over the three asks for month x district x offence; the release is compared with the true
counts, and a forecast from all but its last twelve months with the true counts of those. The data names no person: the
unit of privacy is the incident.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.federation import AGREEMENT, Running, running
from benchmarks.real_city import FILE, City, read_city, split
from benchmarks.report import print_report
from contracts.release import Release
from forecasting.backtest import backtest, dispersion_at
from forecasting.intervals import count_interval, variance_of
from forecasting.models.ets import AutoETS
from forecasting.models.prediction import Model
from forecasting.models.seasonal import SeasonalBaseline, SeasonalNaive
from forecasting.panel import Floats, Panel, panel_of
from forecasting.scores import coverage, mase, wape
from gateway.asking import query_of

PRICE = 50_000_000
"""Nano-rho of the question in each of the eight fiscal years that it touches: sigma about 3.2 for each cell."""

PERIOD = ("2016-01-01", "2023-01-01")
HELD_OUT = 12
LEVEL = 90
MODELS: tuple[Model, ...] = (SeasonalNaive(), SeasonalBaseline(), AutoETS())
DATA_IS_MISSING = 2


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Wall seconds of named stages."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block."""
        started = time.perf_counter()
        yield
        self.seconds[f"{name}_seconds"] = time.perf_counter() - started


def main() -> None:
    """Run the benchmark and print both sides of each comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (options.data / FILE).is_file():
        print(f"There is no {FILE} in {options.data}: this benchmark needs the real data set.", file=sys.stderr)
        raise SystemExit(DATA_IS_MISSING)
    watch = Stopwatch()
    with watch.stage("read"):
        city = read_city(options.data)
    release = _released(city, watch)
    exact = city.exact(release.body.grid)
    with watch.stage("forecast"):
        forecast = _forecast_figures(panel_of(release.body), exact)
    figures = {"rows": float(len(city.incidents)), **watch.seconds, **_release_figures(release, exact), **forecast}
    ratios = {
        "rmse_vs_sigma": figures["rmse"] / figures["sigma"],
        "autoets_vs_seasonal_naive_wape": figures["autoets_wape"] / figures["seasonal_naive_wape"],
        "autoets_vs_seasonal_baseline_wape": figures["autoets_wape"] / figures["seasonal_baseline_wape"],
    }
    print_report("real", figures, ratios, as_json=options.json)


def _released(city: City, watch: Stopwatch) -> Release:
    """One question over three agencies, asked, answered, protected, logged and checked by the client."""
    with tempfile.TemporaryDirectory() as folder:
        with watch.stage("split"):
            agencies = split(city, Path(folder) / "sources")
        started = time.perf_counter()
        with running(Path(folder) / "federation", agencies, nano_rho=PRICE, tick_seconds=0.05) as federation:
            # Homes and keys, 850,000 rows ranked into three snapshots, contracts published, one agreement signed.
            watch.seconds["federation_seconds"] = time.perf_counter() - started
            with watch.stage("exchange"):
                return _ask(federation)


def _ask(federation: Running) -> Release:
    query = query_of(("count",), ("month", "district", "offence"), PERIOD, {})
    call = federation.client.question(AGREEMENT, "everything", query)
    return federation.client.ask(call).release


def _release_figures(release: Release, exact: Floats) -> Mapping[str, float]:
    """The release beside the truth: each cell, and each month's total over all districts and offences."""
    [released] = release.body.released
    error = np.asarray(released.cells, dtype=np.float64) - exact
    months = error.reshape(len(release.body.grid.axes[0].values), -1)
    [promise, *_] = release.body.promises
    return {
        "agencies": float(len(release.body.promises)),
        "cells": float(len(error)),
        "true_total": float(exact.sum()),
        "epsilon": promise.epsilon,
        "sigma": released.sigma,
        "rmse": float(np.sqrt((error**2).mean())),
        "month_total_sigma": released.sigma * float(np.sqrt(months.shape[1])),
        "month_total_rmse": float(np.sqrt((months.sum(axis=1) ** 2).mean())),
    }


def _forecast_figures(panel: Panel, exact: Floats) -> Mapping[str, float]:
    """Every model, trained on all but the last year of the release, beside the true counts of that year."""
    seen = panel.until(len(panel.months) - HELD_OUT)
    truth = exact.reshape(len(panel.months), -1).T[:, -HELD_OUT:]
    figures: dict[str, float] = {"series": float(len(panel.figures)), "held_out_months": float(HELD_OUT)}
    for model in MODELS:
        name = model.name.replace("-", "_")
        prediction = model.predict(seen, HELD_OUT)
        trials = backtest(model, seen, HELD_OUT, LEVEL).trials
        variance = variance_of(prediction, dispersion_at(trials, seen, len(seen.months)), seen.noise_variance)
        held = coverage(truth, *count_interval(prediction.mean, variance, LEVEL))
        figures[f"{name}_wape"] = wape(truth, prediction.mean) or 0.0
        figures[f"{name}_mase"] = mase(truth, prediction.mean, seen.figures) or 0.0
        figures[f"{name}_coverage_{LEVEL}"] = held
    return figures


if __name__ == "__main__":
    main()
