"""The goals of ``benchmarks.forecast`` beside what was measured."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound of one figure or ratio: ``low`` to ``high``, both inside."""

    key: str
    words: str
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a measured value keeps it."""
        return self.low <= value <= self.high


ANY = float("-inf")
MORE = float("inf")
GOALS = (
    Goal("state_mase", "MASE, state set, commands x offences, raw", ANY, 0.89),
    Goal("city_vs_snaive", "MASE over SeasonalNaive's, city set, districts x offences, raw", ANY, 0.80),
    Goal("state_crps_skill", "skill in scaled CRPS over SeasonalNaive, state set", 0.25, MORE),
    Goal("city_crps_skill", "the same, city set", 0.25, MORE),
    Goal("state_eps1_wape", "loss of WAPE at epsilon 1 a month, state set", ANY, 0.05),
    Goal("state_eps1_mase", "loss of MASE at epsilon 1 a month, state set", ANY, 0.10),
    Goal("state_eps2_wape", "loss of WAPE at epsilon 2 a month, state set", ANY, 0.02),
    Goal("state_eps2_mase", "loss of MASE at epsilon 2 a month, state set", ANY, 0.04),
    Goal("state_cov80", "per cent of counts in the 80 % interval, state set, raw", 77.0, 83.0),
    Goal("state_cov95", "per cent of counts in the 95 % interval, state set, raw", 93.0, 97.0),
    Goal("state_eps1_cov80", "per cent of counts in the 80 % interval at epsilon 1", 75.0, 85.0),
    Goal("intervention_null_rejection", "rejected where nothing changed, 500 areas", ANY, 0.08),
    Goal("intervention_coverage95", "held by the 95 % interval, 500 areas", 0.92, MORE),
    Goal("intervention_power15_500", "noticed of -15 % in 15 of 500 areas", 0.95, MORE),
    Goal("pipeline_1540_seconds", "77 x 20 full pipeline, 2 cores", ANY, 15.0),
    Goal("pipeline_29680_seconds", "1,484 x 20 full pipeline, 2 cores", ANY, 120.0),
    Goal("backtest_1540_12_origins_seconds", "12-origin backtest of 77 x 20 series, 2 cores", ANY, 120.0),
)


def print_goals(figures: Mapping[str, float], ratios: Mapping[str, float]) -> None:
    """Every goal whose figure was measured: bound, figure, and whether it holds."""
    measured = {**figures, **ratios}
    print("\n| goal | bound | measured | |\n| --- | --- | --- | --- |")
    for goal in GOALS:
        if goal.key in measured:
            verdict = "holds" if goal.holds(measured[goal.key]) else "MISSED"
            print(f"| {goal.words} | {_bound(goal)} | {measured[goal.key]:.4f} | {verdict} |")


def _bound(goal: Goal) -> str:
    if goal.low == ANY:
        return f"<= {goal.high:g}"
    return f">= {goal.low:g}" if goal.high == MORE else f"{goal.low:g} to {goal.high:g}"
