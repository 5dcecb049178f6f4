"""What an evaluation found, in Thai and English."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from contracts.analysis import AnalysisKind, Column, Figure, Report, Statement, Table
from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.forecast import ModelCard
from forecasting.interventions.areas import REST, Counted
from forecasting.interventions.design import NEVER, Design
from forecasting.interventions.effects import AreaOutcome, Estimate, Evaluated
from forecasting.interventions.plans import SECOND_PHASE_STARTS, Plan, first_whole_month
from forecasting.interventions.process import Score
from forecasting.interventions.simulation import Check, Checked
from forecasting.words import filled, period_words, words_of

WORDS: Final = Path(__file__).with_name("words.toml")
ON_TREATED, ON_NEAR, ON_EACH = "treated", "neighbours", "single-area"
MODEL: Final = "random-effects-counterfactual"
MOST_REJECTED, LEAST_COVERED, LEAST_POWER = 0.08, 0.92, 0.50
"""Beyond these the flags ``rejects-too-often``, ``covers-too-seldom`` and ``low-power`` stand beside an effect."""


@dataclass(frozen=True, slots=True)
class WindowFound:
    """One window: who was compared, what was found, and how the method did on the same series."""

    made: Design
    evaluated: Evaluated
    checked: Checked


@dataclass(frozen=True, slots=True)
class Found:
    """All that a report tells.

    Attributes:
        subject: ``zones`` or ``plans``.
        plans: What was evaluated.
        windows: One or more.
        releases: What the figures came from.
        overlapping: Areas with more than one plan.
        scores: Of the process, by month.
        counted: Which cases.
    """

    subject: str
    plans: tuple[Plan, ...]
    windows: tuple[WindowFound, ...]
    releases: tuple[str, ...]
    overlapping: tuple[str, ...]
    scores: tuple[Score, ...]
    counted: Counted


def report_of(found: Found) -> Report:
    """The report of an evaluation."""
    months = [str(month) for month in found.windows[0].made.panel.months]
    return Report(
        kind=AnalysisKind.EVALUATION,
        title=say(f"title_{found.subject}"),
        statements=(
            *(each for window in found.windows for each in _about_window(window, found)),
            *_about(found),
            *break_statements(found.counted, months),
        ),
        tables=(
            _effects(found.windows),
            _checks(found.windows),
            _areas(found),
            *((_process(found.scores),) if found.scores else ()),
            sources(found.releases),
        ),
        card=ModelCard(
            data=say("data", dataset=found.counted.dataset, releases=len(found.releases)),
            method=say("method"),
            limits=say("limits"),
            first=months[0],
            last=months[-1],
            models=(MODEL,),
        ),
    )


def say(key: str, **details: object) -> Text:
    """A sentence of the file, with its figures."""
    return filled(words_of(WORDS)[key], **details)


def column(name: str, unit: str = "") -> Column:
    """A column by its name."""
    return Column(name=name, title=say(f"column_{name}"), unit=unit)


def sources(releases: Sequence[str]) -> Table:
    """The table of the releases that were used."""
    rows = tuple((each,) for each in releases)
    return Table(name="sources", title=say("table_sources"), columns=(column("release"),), rows=rows)


def change(share: float, base: Text) -> Text:
    """``15.0 % below what was expected``."""
    return say("less" if share < 0 else "more", percent=f"{100.0 * abs(share):.1f}", base=base)


def percent(share: float) -> float | None:
    """A share in per cent, to a hundredth; none where it has no meaning."""
    return round(100.0 * share, 2) if math.isfinite(share) else None


def signed(share: float) -> str:
    """``-15.0 %``."""
    return f"{100.0 * share:+.1f} %"


def break_statements(counted: Counted, months: Sequence[str]) -> tuple[Statement, ...]:
    """What changed in the recording inside these months."""
    return tuple(
        _named("break", "recording-break", month=period_words(each.month), event=each.event)
        for each in counted.breaks(months)
    )


def check_flags(checks: Sequence[Check]) -> tuple[str, ...]:
    """What the simulation says against an estimate; the first check has nothing put in, the last the largest effect."""
    if not checks or not checks[0].runs:
        return ("not-simulated",)
    null, largest = checks[0], checks[-1]
    flags = {
        "rejects-too-often": null.noticed > MOST_REJECTED,
        "covers-too-seldom": min(each.covered for each in checks) < LEAST_COVERED,
        "low-power": largest.noticed < LEAST_POWER,
    }
    return tuple(flag for flag, raised in flags.items() if raised)


def area_title(area: str) -> Text:
    """What an area is called."""
    for name in ("provinces", "ssz_stations"):
        title = code_list(name).titles.get(area.removesuffix(REST))
        if title is not None:
            rest = area.endswith(REST)
            return Text(
                th=f"{title.th} (นอกพื้นที่นำร่อง)" if rest else title.th,
                en=f"{title.en} (outside its pilot stations)" if rest else title.en,
            )
    return Text(th=area, en=area)


def _about_window(window: WindowFound, found: Found) -> list[Statement]:
    made, evaluated, checked = window.made, window.evaluated, window.checked
    said = [
        _statement("effect", made.window, evaluated.effect, checked.treated, untreated=evaluated.untreated),
        _statement("spillover", made.window, evaluated.spillover, checked.near)
        if evaluated.spillover is not None
        else Statement(text=say("no_spillover", window=made.window), flags=("spillover-not-told",)),
        Statement(text=_checked(made.window, checked)),
    ]
    small = [area for area, out in zip(made.areas, made.too_small & made.evaluable, strict=True) if out]
    untold = (made.starts != NEVER) & ~made.evaluable
    if small:
        said.append(_named("left_out", "below-noise", window=made.window, areas=", ".join(small)))
    if untold.any():
        areas = ", ".join(area for area, out in zip(made.areas, untold, strict=True) if out)
        said.append(_named("untold", "not-evaluated-yet", window=made.window, areas=areas))
    ended = [plan.id for plan in found.plans if _ends_early(plan, made.window)]
    if ended:
        said.append(_named("ended", "plan-ended", window=made.window, plans=", ".join(ended)))
    return said


def _statement(key: str, window: int, estimate: Estimate, checks: Sequence[Check], **more: object) -> Statement:
    text = say(
        key,
        window=window,
        areas=estimate.areas,
        change=change(estimate.share, say("base_expected")),
        low=signed(estimate.low),
        high=signed(estimate.high),
        verdict=say("told" if estimate.told else "open"),
        **more,
    )
    borrowed = ("few-treated-areas",) if estimate.borrowed else ()
    return Statement(text=text, flags=(*borrowed, *check_flags(checks)))


def _named(key: str, flag: str, **details: object) -> Statement:
    return Statement(text=say(key, **details), flags=(flag,))


def _checked(window: int, checked: Checked) -> Text:
    null, small, large = checked.treated
    return say(
        "checked",
        window=window,
        runs=f"{checked.runs:,}",
        null=f"{100 * null.noticed:.1f}",
        error=f"{100 * null.error:.1f}",
        coverage=f"{100 * min(each.covered for each in checked.treated):.1f}",
        power5=f"{100 * small.noticed:.0f}",
        power15=f"{100 * large.noticed:.0f}",
    )


def _about(found: Found) -> list[Statement]:
    said = [Statement(text=say("chosen"), flags=("areas-were-chosen",))]
    if found.overlapping:
        said.append(_named("overlap", "plans-overlap", areas=", ".join(found.overlapping)))
    zones = found.subject == "zones"
    if zones and any(str(each.made.panel.months[-1]) >= f"{SECOND_PHASE_STARTS:%Y-%m}" for each in found.windows):
        said.append(_named("phase_two", "controls-partly-treated"))
    if found.scores:
        said.append(Statement(text=say("process")))
    return said


def _ends_early(plan: Plan, window: int) -> bool:
    if plan.end is None:
        return False
    return bool((first_whole_month(plan.start) + window).start_time.date() > plan.end)


def _effects(windows: Sequence[WindowFound]) -> Table:
    rows: list[tuple[Figure, ...]] = []
    for window in windows:
        made, evaluated = window.made, window.evaluated
        first, last = made.panel.months[0], made.panel.months[int(made.cohorts.max()) + made.window - 1]
        for on, estimate in ((ON_TREATED, evaluated.effect), (ON_NEAR, evaluated.spillover)):
            if estimate is not None:
                shares = (percent(estimate.share), percent(estimate.low), percent(estimate.high))
                counts = (estimate.areas, evaluated.untreated, percent(evaluated.between))
                rows.append((made.window, on, *shares, *counts, str(first), str(last)))
    heads = ("window", "on", "effect", "low", "high", "areas", "untreated", "between", "first", "last")
    return _table("effects", heads, rows)


def _checks(windows: Sequence[WindowFound]) -> Table:
    rows: list[tuple[Figure, ...]] = []
    for window in windows:
        checked = window.checked
        for on, checks in ((ON_TREATED, checked.treated), (ON_NEAR, checked.near), (ON_EACH, checked.each)):
            for each in checks:
                told = (percent(each.covered), percent(each.noticed), percent(each.error), percent(each.bias))
                rows.append((window.made.window, on, percent(each.effect), *told, each.runs, checked.starts))
    heads = ("window", "on", "put_in", "coverage", "noticed", "error", "bias", "runs", "starts")
    return _table("checks", heads, rows)


def _areas(found: Found) -> Table:
    targets = {plan.province: plan.target for plan in sorted(found.plans, key=_start, reverse=True)}
    rows: list[tuple[Figure, ...]] = []
    for window in found.windows:
        for each in window.evaluated.outcomes:
            target = targets.get(each.area)
            shares = (percent(each.share), percent(each.low), percent(each.high))
            goal = (None if target is None else percent(target), _reached(each, target))
            figures = (round(each.expected, 1), round(each.observed, 1), *shares, *goal)
            rows.append((window.made.window, each.area, area_title(each.area).th, each.start, *figures))
    heads = ("window", "area", "name", "start", "expected", "observed", "effect", "low", "high", "target", "reached")
    return _table("areas", heads, rows)


def _start(plan: Plan) -> date:
    return plan.start


def _reached(outcome: AreaOutcome, target: float | None) -> bool | None:
    """Yes or no where the whole interval says so, none where the figures leave it open or there is no target."""
    if target is None:
        return None
    sides = (outcome.low <= target, outcome.high <= target) if target <= 0 else (
        outcome.high >= target, outcome.low >= target)  # fmt: skip
    return True if sides[1] else (None if sides[0] else False)


def _process(scores: Sequence[Score]) -> Table:
    rows = tuple((each.month, each.score, round(each.mean, 2), round(each.error_95, 2)) for each in scores)
    return _table("process", ("month", "score", "mean", "error_95"), rows)


UNITS: Final = {
    **dict.fromkeys(
        ("effect", "low", "high", "between", "put_in", "coverage", "noticed", "error", "bias", "target"), "%"
    ),
    **dict.fromkeys(("expected", "observed"), "cases"),
    **dict.fromkeys(("mean", "error_95"), "points"),
    "window": "months",
}


def _table(name: str, heads: Sequence[str], rows: Sequence[tuple[Figure, ...]]) -> Table:
    columns = tuple(column(each, UNITS.get(each, "")) for each in heads)
    return Table(name=name, title=say(f"table_{name}"), columns=columns, rows=tuple(rows))
