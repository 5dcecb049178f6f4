"""The interventions' part of ``benchmarks.forecast``: the figures of ``benchmarks.interventions`` under its names."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.interventions import figures
from benchmarks.interventions_real import STATE

GENERATOR = "generator"
EFFECTS = ("null", "minus5", "minus15")
NAMES: Mapping[str, str] = {GENERATOR: "500", STATE: "126"}
"""The worlds, and the number of areas that stands in the name of the power."""


def intervention_figures(data: Path | None) -> dict[str, float]:
    """Null rejection, coverage and power on the generator and, with the real sets, on the areas of the state.

    ``intervention_coverage95`` is the smallest of the coverages of no effect, of -5 % and of -15 %.
    """
    found = figures(data)
    named: dict[str, float] = {}
    for world, areas in NAMES.items():
        if f"{world}_null_rejected" not in found:
            continue
        prefix = "intervention" if world == GENERATOR else f"intervention_{areas}"
        named |= {
            f"{prefix}_null_rejection": found[f"{world}_null_rejected"],
            f"{prefix}_coverage95": min(found[f"{world}_{effect}_coverage"] for effect in EFFECTS),
            f"intervention_power15_{areas}": found[f"{world}_minus15_power"],
        }
    return named | {f"intervention_{name.removeprefix('interventions_')}": value for name, value in found.items()}
