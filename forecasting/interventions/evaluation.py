"""Evaluate plans or zones on releases: the figures of every window, each with its checks. Read this first.

releases -> one series an area -> design (who with whom) -> effect, spillover -> the same with placebos -> report
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from contracts.analysis import Report
from contracts.code_lists import code_list
from contracts.release import ReleaseBody
from forecasting.interventions.areas import PROVINCE, REST, Counted, areas_of, rests_beside, zones_of
from forecasting.interventions.design import WINDOWS, design, evaluable
from forecasting.interventions.effects import evaluate
from forecasting.interventions.neighbours import provinces_beside
from forecasting.interventions.plans import PILOTS_START, Plan, overlapping, starts_of
from forecasting.interventions.process import process_scores
from forecasting.interventions.report import Found, WindowFound, report_of
from forecasting.interventions.simulation import RUNS, simulate
from forecasting.panel import Panel

ZONES, PLANS = "zones", "plans"


@dataclass(frozen=True, slots=True)
class Setting:
    """How an evaluation is made.

    Attributes:
        counted: Which cases.
        windows: Months over which effects are computed, each 3 or 12.
        runs: Of the simulation, for each effect put in; 100 or more.
        area: The dimension of the areas that have plans.
    """

    counted: Counted = field(default_factory=Counted)
    windows: tuple[int, ...] = WINDOWS
    runs: int = RUNS
    area: str = PROVINCE


def evaluate_plans(
    bodies: Sequence[ReleaseBody],
    plans: Sequence[Plan],
    generator: np.random.Generator,
    setting: Setting | None = None,
    neighbours: Mapping[str, Collection[str]] | None = None,
) -> Report:
    """The report on plans of provinces, against provinces without one.

    Args:
        bodies: Releases with the count by area and month, 24 months before the first start and a window after it.
        plans: One or more; of several in a province the first counts.
        generator: Source of the simulation's draws.
        setting: How it is made.
        neighbours: Of each area; of the provinces if none are given.

    Raises:
        InvalidInput: ``enforcement-is-not-risk``, ``release-not-a-series``, ``plan-unusable``, ``effect-window``,
            ``intervention-unknown-area``, ``too-few-untreated``, ``treated-too-small``.
        Unavailable: ``not-enough-history``.
    """
    how = setting or Setting()
    how.counted.checked("evaluation")
    panel, releases = areas_of(bodies, how.counted, how.area)
    beside = provinces_beside() if neighbours is None else neighbours
    windows = _windows(panel, starts_of(plans, panel.months), beside, how, generator)
    return report_of(Found(PLANS, tuple(plans), windows, releases, overlapping(plans), (), how.counted))


def evaluate_zones(
    bodies: Sequence[ReleaseBody],
    generator: np.random.Generator,
    setting: Setting | None = None,
    second_phase: Sequence[Plan] = (),
) -> Report:
    """The report on the Smart Safety Zones: 15 pilot stations against provinces without one; monthly process scores.

    What is left of a pilot's province are its neighbours.

    Args:
        bodies: Releases with the count by pilot station and month, and by province and month; for the process also
            those of the stations' monthly scores.
        generator: Source of the simulation's draws.
        setting: How it is made.
        second_phase: Plans of provinces that joined later; their areas are the province, or what is left of it.

    Raises:
        InvalidInput: As ``evaluate_plans``.
        Unavailable: ``not-enough-history``.
    """
    how = setting or Setting()
    how.counted.checked("evaluation")
    panel, releases = zones_of(bodies, how.counted)
    pilots = tuple(Plan(f"ssz-1-{each}", each, PILOTS_START) for each in code_list("ssz_stations").values)
    plans = (*pilots, *(_of_rest(plan, panel) for plan in second_phase))
    windows = _windows(panel, starts_of(plans, panel.months), rests_beside(), how, generator)
    scores, several = process_scores(bodies), overlapping(plans)
    return report_of(Found(ZONES, plans, windows, releases, several, scores, how.counted))


def _windows(
    panel: Panel,
    starts: Mapping[str, int],
    beside: Mapping[str, Collection[str]],
    how: Setting,
    generator: np.random.Generator,
) -> tuple[WindowFound, ...]:
    """Every window that is over; at least one."""
    months = len(panel.months)
    over = [each for each in how.windows if each not in WINDOWS or _any_over(starts, each, months)]
    found = []
    # Where none is over, the shortest says what is missing.
    for window in over or [min(how.windows, default=0)]:
        made = design(panel, starts, window, beside)
        found.append(WindowFound(made, evaluate(made), simulate(made, generator, how.runs)))
    return tuple(found)


def _any_over(starts: Mapping[str, int], window: int, months: int) -> bool:
    return bool(evaluable(np.array(list(starts.values())), window, months).any())


def _of_rest(plan: Plan, panel: Panel) -> Plan:
    """A plan of a province whose pilots are counted apart is one of what is left of it."""
    rest = f"{plan.province}{REST}"
    known = plan.province not in panel.counts.index and rest in panel.counts.index
    return Plan(plan.id, rest, plan.start, plan.end, plan.target) if known else plan
