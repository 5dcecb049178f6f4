"""The lines of ``benchmarks.forecast`` as tables for people and as figures for programs."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.forecast_jobs import RAW, Done, Noise
from forecasting.evaluation import LevelScore

METRICS: Mapping[str, str] = {
    "mase": "mase",
    "wape": "wape",
    "crps": "scaled_crps",
    "cov80": "coverage80",
    "cov95": "coverage95",
    "deviance": "deviance",
    "coherence": "coherence",
}
"""The metrics as figures call them, and the fields of ``LevelScore``."""

IN_PERCENT = frozenset({"cov80", "cov95"})
HEAD = ("noise", "level", "model", "series")


@dataclass(frozen=True, slots=True)
class Line:
    """A model on a level of a set under one noise: each metric's mean over the runs, and the widest two runs' range."""

    set_name: str
    noise: str
    level: str
    model: str
    series: int
    runs: int
    means: Mapping[str, float]
    ranges: Mapping[str, float]


def lines_of(done: Iterable[Done]) -> list[Line]:
    """The lines, in the order of the jobs; a metric that a model does not have is left out."""
    groups: dict[tuple[str, str, str, str], list[LevelScore]] = defaultdict(list)
    for each in done:
        for score in each.scores:
            groups[each.job.set_name, each.job.noise.name, score.level, score.model].append(score)
    return [_line(key, scores) for key, scores in groups.items()]


def _line(key: tuple[str, str, str, str], scores: Sequence[LevelScore]) -> Line:
    means, ranges = {}, {}
    for metric, name in METRICS.items():
        values = [value for score in scores if (value := getattr(score, name)) is not None]
        if values:
            factor = 100.0 if metric in IN_PERCENT else 1.0
            means[metric] = factor * math.fsum(values) / len(values)
            ranges[metric] = factor * (max(values) - min(values))
    set_name, noise, level, model = key
    return Line(set_name, noise, level, model, scores[0].series, len(scores), means, ranges)


@dataclass(frozen=True, slots=True)
class Found:
    """All lines, by what they are about."""

    lines: Sequence[Line]

    def value(self, key: str, metric: str) -> float | None:
        """One mean; ``key`` is set/noise/level/model."""
        each = next((line for line in self.lines if key == _key(line)), None)
        return None if each is None else each.means.get(metric)

    def ratio(self, above: str, below: str, metric: str) -> float | None:
        """The metric of one line over that of another; None where one of them is missing."""
        over, under = self.value(above, metric), self.value(below, metric)
        return None if over is None or not under else over / under

    def figures(self) -> dict[str, float]:
        """Every mean of every line as ``set_noise_level_model_metric``."""
        return {
            f"{_key(line).replace('/', '_').replace('-', '_')}_{metric}": value
            for line in self.lines
            for metric, value in line.means.items()
        }


def _key(line: Line) -> str:
    return f"{line.set_name}/{line.noise}/{line.level}/{line.model}"


def print_lines(lines: Sequence[Line]) -> None:
    """One table for each set, in Markdown as docs/benchmarks.md has it: raw first, then by epsilon."""
    for set_name in dict.fromkeys(line.set_name for line in lines):
        shown = [metric for metric in METRICS if metric != "coherence"]
        print(f"\n### {set_name}\n{_row((*HEAD, *shown))}\n{_row(['---'] * (len(HEAD) + len(shown)))}")
        for line in lines:
            if line.set_name == set_name:
                figures = (_shown(line.means.get(metric), metric) for metric in shown)
                print(_row((line.noise, line.level, line.model, f"{line.series:,}", *figures)))
    engines = [line.means["coherence"] for line in lines if line.model == "engine" and "coherence" in line.means]
    if engines:
        print(f"\nLargest difference between a forecast and the sum below it, engine: {max(engines):.1e} cases")


def print_ranges(lines: Sequence[Line]) -> None:
    """How far the runs of one noise lie apart, at most: what another draw may change."""
    apart = [line for line in lines if line.runs > 1]
    if apart:
        widest = {metric: max(line.ranges.get(metric, 0.0) for line in apart) for metric in ("mase", "wape", "crps")}
        told = ", ".join(f"{metric} {value:.4f}" for metric, value in widest.items())
        print(f"\nLargest range over {max(line.runs for line in apart)} runs, of any line: {told}")


def print_prices(prices: Sequence[Sequence[str]]) -> None:
    """What each epsilon is, for an incident in a month and for a person's year."""
    print()
    for row in (("noise", "epsilon of a month", "sigma of 1, 3, 4 levels", "epsilon of a person's year"), *prices):
        print(_row(row))
        if row[0] == "noise":
            print(_row(["---"] * len(row)))


def losses(found: Found, target: str, noises: Sequence[Noise]) -> dict[str, float]:
    """The engine's loss under each noise as a fraction of raw (0.05 is 5 % worse): ``set_noise_metric``.

    Args:
        found: All lines.
        target: ``set/level``.
        noises: Without raw.
    """
    set_name, level = target.split("/")
    made = {}
    for noise in noises:
        for metric in ("wape", "mase", "crps"):
            ratio = found.ratio(f"{set_name}/{noise.name}/{level}/engine", f"{set_name}/{RAW}/{level}/engine", metric)
            if ratio is not None:
                made[f"{set_name}_{noise.name}_{metric}"] = ratio - 1.0
    return made


def _shown(value: float | None, metric: str) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if metric in IN_PERCENT else f"{value:.4f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
