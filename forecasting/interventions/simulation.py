"""What an estimate is worth, found out on the user's own series: placebo starts, and effects that are put in.

Each run draws areas that were not treated, pretends that they were, and evaluates them as the real ones are. Where
the past is long enough the pretended starts also lie in earlier years, before any real one, so that the luck of years
counts as well as that of areas. Then cases of the pretended areas are taken out at random (thinning), as many as the
effect says, and it is counted how often the interval holds that effect and how often the effect is noticed.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from contracts.errors import InvalidInput
from forecasting.interventions.counterfactual import Ints
from forecasting.interventions.design import (
    FEWEST_UNTREATED,
    NEVER,
    Comparison,
    Design,
    Roles,
    Seen,
    compare,
    log_ratios,
    roles,
    rows,
)
from forecasting.interventions.effects import NEAR, TREATED, Bounds, bounds, own_bounds
from forecasting.interventions.regression import Truths, fit
from forecasting.panel import Floats
from forecasting.seasons import SHORTEST, YEAR

RUNS, FEWEST_RUNS = 500, 100
EFFECTS = (0.0, -0.05, -0.15)
USUAL_PAST = 3 * YEAR
EACH = -1
_BATCH = 100
_HALF_WIDTHS_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Check:
    """How the interval of one effect did over all runs.

    Attributes:
        effect: What was put in, as a share of the cases: -0.15 is 15 % fewer, 0 nothing.
        covered: How often the interval held it, 0 to 1; not a number without a run.
        noticed: How often the interval left out that nothing had changed: of 0 the null rejection, else the power.
        bias: Mean of the estimates less what was put in, on the logarithmic scale.
        runs: Runs that had an estimate.
    """

    effect: float
    covered: float
    noticed: float
    bias: float
    runs: int

    @property
    def error(self) -> float:
        """The Monte-Carlo error: half-width of the 95 % interval of ``noticed``, or of 5 % where that is wider."""
        likely = min(max(self.noticed, 0.05), 0.95)
        return _HALF_WIDTHS_95 * math.sqrt(likely * (1.0 - likely) / max(self.runs, 1))


@dataclass(frozen=True, slots=True)
class Checked:
    """All checks of a design's estimates.

    Attributes:
        treated: Of the effect on the treated: one for each effect put in, nothing first.
        near: Of the spillover, in the same order; empty where none is estimated.
        each: Of the single treated areas, over all areas and runs.
        runs: Runs of each.
        starts: Different months at which the pretended starts lay.
        candidates: Areas that could be drawn, where they were fewest.
    """

    treated: tuple[Check, ...]
    near: tuple[Check, ...]
    each: tuple[Check, ...]
    runs: int
    starts: int
    candidates: int


def simulate(made: Design, generator: np.random.Generator, runs: int = RUNS) -> Checked:
    """Check the estimates of a design.

    Args:
        made: The design. Only untreated areas, and months before the first start, are used.
        generator: Source of the draws; the same one gives the same figures.
        runs: For each effect put in; 100 or more.

    Raises:
        InvalidInput: ``too-few-untreated`` when too few are left after drawing placebos from them.
        ValueError: For fewer than 100 runs.
    """
    if runs < FEWEST_RUNS:
        raise ValueError(f"fewer than {FEWEST_RUNS} runs tell nothing")
    scenes = _scenes(made)
    drawn = np.sort(generator.integers(len(scenes), size=runs))
    batches = [
        (scenes[number], min(_BATCH, total - done))
        for number, total in zip(*np.unique(drawn, return_counts=True), strict=True)
        for done in range(0, int(total), _BATCH)
    ]
    found = [_tried(scene, made, generator, size) for scene, size in batches]
    kinds = (TREATED, NEAR, EACH) if made.spillover else (TREATED, EACH)
    checks = {kind: tuple(check_of(put, [each[kind][put] for each in found]) for put in EFFECTS) for kind in kinds}
    return Checked(
        treated=checks[TREATED],
        near=checks.get(NEAR, ()),
        each=checks[EACH],
        runs=runs,
        starts=len(scenes),
        candidates=min(int(scene.eligible.sum()) for scene in scenes),
    )


@dataclass(frozen=True, slots=True)
class _Likened:
    """A comparison in which the drawn areas have the size of the treated ones and lack none of their uncertainty.

    Each array runs x areas x starts: the logarithm of the size, the variance that a drawn area lacks, and a draw of it.
    """

    compared: Comparison
    size: Floats
    lacking: Floats
    blur: Floats


@dataclass(frozen=True, slots=True)
class _Scene:
    """One set of pretended starts: their columns, what came, and who may be drawn."""

    cohorts: Ints
    compared: Comparison
    eligible: Truths


def _scenes(made: Design) -> list[_Scene]:
    treated, found = int(made.treated.sum()), []
    for back in _moves(made):
        eligible = ~made.too_small if back else made.untreated
        if eligible.sum() - treated >= FEWEST_UNTREATED:
            cohorts = made.cohorts - back
            found.append(_Scene(cohorts, compare(made.panel, cohorts, made.window), eligible))
    if not found:
        given = max(int(made.untreated.sum()) - treated, 0)
        raise InvalidInput("too-few-untreated", given=given, needed=FEWEST_UNTREATED)
    return found


def _moves(made: Design) -> list[int]:
    """How many months the starts are moved back: not at all, and all that end before any real start."""
    first, last = int(made.cohorts[0]), int(made.cohorts[-1])
    past = min(max(first, SHORTEST), USUAL_PAST)
    nearest = last + made.window - int(made.starts[made.starts != NEVER].min())
    return [0, *range(nearest, first - past + 1)]


def _tried(scene: _Scene, made: Design, generator: np.random.Generator, runs: int) -> dict[int, dict[float, Bounds]]:
    """Evaluate a batch of placebos with each effect put in."""
    starts, alike = _placebos(scene, made, generator, runs)
    parts = roles(made, starts, scene.cohorts, ~scene.eligible)
    if parts.near is not None:
        parts = replace(parts, near=_neighbours(parts, int(made.near.sum()), generator))
    found: dict[int, dict[float, Bounds]] = {TREATED: {}, NEAR: {}, EACH: {}}
    areas, touched = int(made.treated.sum()), int(made.near.sum())
    for effect in EFFECTS:
        seen = _thinned(alike, parts, -effect, generator)
        fits = fit(rows(seen, parts))
        found[TREATED][effect] = bounds(fits, TREATED, areas)
        own = own_bounds(seen, parts, fits)
        found[EACH][effect] = Bounds(own.middle[parts.treated], own.half[parts.treated])
        if parts.near is not None:
            found[NEAR][effect] = bounds(fits, NEAR, touched)
    return found


def _placebos(scene: _Scene, made: Design, generator: np.random.Generator, runs: int) -> tuple[Ints, _Likened]:
    """Draw who starts when, runs x areas, and make the drawn as uncertain as the treated areas that they stand for."""
    chosen = np.full((runs, len(made.areas)), NEVER, dtype=np.int64)
    shape = (runs, *scene.compared.expected.shape)
    size, lacking = np.broadcast_to(scene.compared.seen.size, shape).copy(), np.zeros(shape)
    truth = compare(made.panel, made.cohorts, made.window)
    run = np.arange(runs)[:, None]
    for number, start in enumerate(scene.cohorts):
        members = np.flatnonzero(made.treated & (made.starts == made.cohorts[number]))
        members = members[np.argsort(truth.expected[members, number])]
        own, wanted = scene.compared.seen.size[:, number], truth.seen.size[members, number]
        open_to = scene.eligible & (chosen == NEVER)
        picked = _drawn(_likeness(own, wanted, scene.eligible), open_to, len(members), generator)
        # The smallest of the drawn stands for the smallest of the treated, and so on.
        picked = np.take_along_axis(picked, np.argsort(own[picked], axis=1), axis=1)
        np.put_along_axis(chosen, picked, start, axis=1)
        short = np.maximum(truth.variance[members, number] - scene.compared.variance[picked, number], 0.0)
        lacking[run, picked, number] = short
        size[run, picked, number] = np.where(short > 0, wanted, own[picked])
    return chosen, _Likened(scene.compared, size, lacking, generator.normal(size=shape) * np.sqrt(lacking))


def _likeness(own: Floats, wanted: Floats, eligible: Truths) -> Floats:
    """The logarithm of the chance to be drawn, up to a constant: areas of the size of a treated one sooner."""
    spread = max(float(own[eligible].std()) / 2.0, 0.1)
    near = np.exp(-0.5 * ((own[:, None] - wanted[None, :]) / spread) ** 2).mean(axis=1)
    likeness: Floats = np.log(np.maximum(near, 1e-12))
    return likeness


def _drawn(chances: Floats, open_to: Truths, number: int, generator: np.random.Generator) -> Ints:
    """Draw areas without replacement, runs x number: the largest sums of chance and Gumbel noise are such a draw."""
    keys = np.where(open_to, chances + generator.gumbel(size=open_to.shape), -np.inf)
    return np.asarray(np.argpartition(-keys, number - 1, axis=1)[:, :number], dtype=np.int64)


def _neighbours(parts: Roles, number: int, generator: np.random.Generator) -> Truths:
    """The neighbours of the placebos; where they have fewer than the treated areas have, others stand in for them.

    None in a run that would leave too few untreated areas: its neighbours are then untreated ones.
    """
    near = np.zeros(parts.used.shape, dtype=bool) if parts.near is None else parts.near
    touched, free = near.any(axis=2), parts.used.all(axis=2) & ~parts.treated.any(axis=2)
    order = np.argsort(np.where(free & ~touched, generator.random(free.shape), np.inf), axis=1)
    rank = np.argsort(order, axis=1)
    added = free & ~touched & (rank < number - touched.sum(axis=1)[:, None])
    near = near | (added[..., None] & parts.used)
    left = (free & ~near.any(axis=2)).sum(axis=1) >= FEWEST_UNTREATED
    return np.asarray(near & left[:, None, None])


def _thinned(alike: _Likened, parts: Roles, taken: float, generator: np.random.Generator) -> Seen:
    """The comparison with a share of the cases of the placebos and their neighbours taken out at random."""
    compared = alike.compared
    touched = parts.treated if parts.near is None else parts.treated | parts.near
    run, area, start = np.nonzero(touched)
    observed = np.broadcast_to(compared.observed, parts.used.shape).copy()
    cases = np.round(np.maximum(compared.observed[area, start], 0.0)).astype(np.int64)
    # Thinning takes the same share of the noise: what is missing is added again.
    missing = compared.noise * (1.0 - (1.0 - taken) ** 2)
    lost = generator.binomial(cases, taken) + generator.normal(size=len(cases)) * np.sqrt(missing[area, start])
    observed[run, area, start] -= lost
    ratios = log_ratios(observed, compared.expected, compared.variance, compared.noise)
    return Seen(ratios + alike.blur, compared.variance + alike.lacking, alike.size, compared.growth)


def check_of(effect: float, tried: list[Bounds]) -> Check:
    """How the intervals of runs did; runs without one are left out."""
    middle = np.concatenate([each.middle for each in tried])
    half = np.concatenate([each.half for each in tried])
    told = np.isfinite(half)
    if not told.any():
        return Check(effect, covered=math.nan, noticed=math.nan, bias=math.nan, runs=0)
    error, truth = middle[told] - math.log1p(effect), half[told]
    return Check(
        effect,
        covered=float((np.abs(error) <= truth).mean()),
        noticed=float((np.abs(middle[told]) > truth).mean()),
        bias=float(error.mean()),
        runs=int(told.sum()),
    )
