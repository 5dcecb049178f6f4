"""Who is compared with whom: treated areas, each from its own start, their neighbours, and the untreated.

For every start there is one comparison: areas that start then against areas that had not started when its window
closed. An area that starts later is thus an untreated one before, and none whose own start lies in the window or before
it (staggered starts: the comparisons that are wrong in a regression with fixed effects are never made). Neighbours of
treated areas have a coefficient of their own, the spillover, and do not serve as untreated.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from contracts.errors import InvalidInput, Unavailable
from forecasting.interventions.counterfactual import Ints, expected
from forecasting.interventions.regression import Rows, Truths
from forecasting.panel import Floats, Panel
from forecasting.seasons import SHORTEST, YEAR

WINDOWS = (3, 12)
"""Months over which an effect on crime is computed. One month of a small zone is a handful of cases: noise."""

FEWEST_UNTREATED = 10
FEWEST_NEIGHBOURS = 5
SMALLEST, SUREST = 20.0, 4.0
"""A window is compared where it was expected to hold 20 cases and four standard deviations of its noise."""

NEVER = -1


@dataclass(frozen=True, slots=True)
class Design:
    """An evaluation, ready to be computed.

    Attributes:
        panel: Every area's months; the areas are the labels of the only dimension.
        areas: Their codes, in the order of the panel's rows.
        starts: For each area the column of its first treated month, or -1. One that started before the data is at 0;
            one that starts after it has a column beyond the last.
        adjacent: Whether two areas are neighbours: areas x areas.
        window: Months whose cases are compared, from the start on: 3 or 12.
        too_small: Areas that are left out: their window cannot be told from noise.
        spillover: Whether there are neighbours and untreated enough to tell the two apart.
    """

    panel: Panel
    areas: tuple[str, ...]
    starts: Ints
    adjacent: Truths
    window: int
    too_small: Truths
    spillover: bool

    @property
    def evaluable(self) -> Truths:
        """Areas with two years before their start and a whole window after it, whether or not they are too small."""
        return evaluable(self.starts, self.window, len(self.panel.months))

    @property
    def cohorts(self) -> Ints:
        """The columns of the different starts that are evaluated, oldest first."""
        return np.unique(self.starts[self.treated])

    @property
    def treated(self) -> Truths:
        """The areas whose effect is estimated."""
        return np.asarray(self.evaluable & ~self.too_small)

    @property
    def near(self) -> Truths:
        """Untreated neighbours of the areas that have started."""
        begun = (self.starts != NEVER) & (self.starts < len(self.panel.months))
        return np.asarray(self.adjacent[:, begun].any(axis=1) & (self.starts == NEVER) & ~self.too_small)

    @property
    def untreated(self) -> Truths:
        """Areas that never start and, if the spillover is estimated, are no neighbours."""
        never = (self.starts == NEVER) & ~self.too_small
        return np.asarray(never & ~self.near if self.spillover else never)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is regressed, areas x starts, with or without a first axis of runs.

    ``ratios`` are the logarithms of observed over expected with their known ``variances``; ``size`` is the logarithm of
    the expected cases, ``growth`` that of the last year's cases over those of the year before.
    """

    ratios: Floats
    variances: Floats
    size: Floats
    growth: Floats


@dataclass(frozen=True, slots=True)
class Comparison:
    """Observed and expected cases of every area in every start's window: each array areas x starts.

    ``variance`` is that of the observed over the expected on the logarithmic scale, ``noise`` the noise in the window,
    in cases squared.
    """

    observed: Floats
    expected: Floats
    variance: Floats
    growth: Floats
    noise: Floats

    @property
    def seen(self) -> Seen:
        """The logarithms that are regressed."""
        return Seen(
            ratios=log_ratios(self.observed, self.expected, self.variance, self.noise),
            variances=self.variance,
            size=np.log(self.expected),
            growth=self.growth,
        )


def log_ratios(observed: Floats, forecast: Floats, variance: Floats, noise: Floats) -> Floats:
    """Logarithms of observed over expected cases; ``forecast`` is 1 or more.

    The mean of log(x) lies half a relative variance below the logarithm of the mean: that of the observed is added,
    that of the forecast taken off.
    """
    own = (forecast + noise) / forecast**2
    bounded = np.maximum(observed, 0.05 * forecast)
    ratios: Floats = np.log(bounded / forecast) + own - variance / 2.0
    return ratios


def design(
    panel: Panel,
    starts: Mapping[str, int],
    window: int,
    neighbours: Mapping[str, Collection[str]] | None = None,
) -> Design:
    """Set an evaluation up, or say why there is none.

    Args:
        panel: One series for each area.
        starts: For each treated area the column of its first treated month; it may lie before or after the panel.
            An area without two years before it and a window after it is not evaluated, nor compared with once it began.
        window: 3 or 12 months.
        neighbours: The neighbours of areas; who is missing has none.

    Raises:
        InvalidInput: ``effect-window``, ``intervention-unknown-area``, ``too-few-untreated``, ``treated-too-small``;
            ``plan-unusable``, when no start's window is over.
        Unavailable: ``not-enough-history`` for less than 24 months before every start whose window is over.
    """
    if window not in WINDOWS:
        raise InvalidInput("effect-window", months=window)
    areas = tuple(next(iter(label.values())) for label in panel.labels())
    unknown = sorted(set(starts) - set(areas))
    if unknown or not starts:
        raise InvalidInput("intervention-unknown-area", areas=", ".join(unknown) or "-")
    columns = np.array([max(starts[area], 0) if area in starts else NEVER for area in areas], dtype=np.int64)
    told = evaluable(columns, window, len(panel.months))
    if not told.any():
        raise _untold(columns[columns != NEVER], window, len(panel.months))
    first = int(columns[told].min())
    small = too_small(panel.figures[:, :first], panel.noise[:, 0], window)
    if not (~small & told).any():
        raise InvalidInput("treated-too-small", areas=", ".join(sorted(starts)))
    made = Design(panel, areas, columns, _adjacency(areas, neighbours or {}), window, small, spillover=True)
    if made.near.sum() < FEWEST_NEIGHBOURS or made.untreated.sum() < FEWEST_UNTREATED:
        made = replace(made, spillover=False)
    if made.untreated.sum() < FEWEST_UNTREATED:
        raise InvalidInput("too-few-untreated", given=int(made.untreated.sum()), needed=FEWEST_UNTREATED)
    return made


def compare(panel: Panel, cohorts: Ints, window: int) -> Comparison:
    """Observed and expected cases of the windows that begin at these columns, each expected from the months before."""
    found = []
    for start in cohorts:
        observed = panel.figures[None, :, start : start + window].sum(axis=2)
        past, calendar = panel.figures[None, :, :start], int(panel.month_of_year[start])
        found.append(compared(past, observed, panel.noise[:, 0], calendar, window))
    parts = ("observed", "expected", "variance", "growth", "noise")
    return Comparison(*(np.concatenate([getattr(each, part)[0] for each in found], axis=1) for part in parts))


def compared(past: Floats, observed: Floats, noise: Floats, calendar: int, window: int) -> Comparison:
    """The same of one window, for many runs: each array runs x areas x 1. See ``counterfactual.expected``."""
    ahead = expected(past, noise, calendar, window)
    # A whole case at least; areas with so few are left out of a design.
    forecast = np.maximum(ahead.total, 1.0)
    own = forecast + window * noise
    return Comparison(
        observed=observed[..., None],
        expected=forecast[..., None],
        variance=((own + ahead.variance) / forecast**2)[..., None],
        growth=ahead.growth[..., None],
        noise=np.broadcast_to(window * noise, forecast.shape)[..., None],
    )


def too_small(past: Floats, noise: Floats, window: int) -> Truths:
    """Which areas' windows cannot be told from noise, by the last two years; months are the last axis of the past.

    Never judged by what came after a start: else whoever fell would be left out.
    """
    usual = window * past[..., -2 * YEAR :].mean(axis=-1)
    return np.asarray(usual < np.maximum(SMALLEST, SUREST * np.sqrt(window * noise)))


@dataclass(frozen=True, slots=True)
class Roles:
    """Which part each area plays in each start's comparison: all runs x areas x starts.

    ``near`` are the neighbours of the treated, none if no spillover is estimated; ``used`` are the rows that count.
    """

    treated: Truths
    near: Truths | None
    used: Truths


def roles(made: Design, starts: Ints, cohorts: Ints, left_out: Truths) -> Roles:
    """Give everybody a part.

    Args:
        made: The design, for its window and its neighbours.
        starts: Runs x areas: who starts at which column, -1 for never; its own in a run of their own for the truth.
        cohorts: The columns of the different starts.
        left_out: Areas that play none, of all runs or runs x areas.
    """
    treated = starts[..., None] == cohorts
    later = starts[..., None] >= cohorts + made.window
    used = (treated | (starts == NEVER)[..., None] | later) & ~left_out[..., None]
    if not made.spillover:
        return Roles(treated & used, None, used)
    # Whoever borders on an area that has started by then, and has not started itself.
    begun = ((starts != NEVER)[..., None] & (starts[..., None] < cohorts + made.window)).astype(np.float64)
    touched = np.einsum("ab,rbc->rac", made.adjacent.astype(np.float64), begun, optimize=True) > 0
    return Roles(treated & used, touched & used & ~treated, used)


def rows(seen: Seen, parts: Roles) -> Rows:
    """The regression of one run or many.

    Returns:
        The columns are the treated, the neighbours if there are any, one for each start, the logarithm of the size, and
        the growth of the year before.
    """
    shape, used = parts.used.shape, parts.used
    size = np.broadcast_to(seen.size, shape)
    centred = size - (size * used).sum(axis=(1, 2), keepdims=True) / np.maximum(used.sum(axis=(1, 2), keepdims=True), 1)
    indicators = [parts.treated] if parts.near is None else [parts.treated, parts.near]
    columns = [
        *(each[..., None].astype(np.float64) for each in indicators),
        np.broadcast_to(np.eye(shape[2]), (*shape, shape[2])),
        centred[..., None],
        np.broadcast_to(seen.growth, shape)[..., None],
    ]
    return Rows(
        ratios=np.broadcast_to(seen.ratios, shape),
        variances=np.broadcast_to(seen.variances, shape),
        columns=np.concatenate(columns, axis=3),
        used=used,
    )


def evaluable(starts: Ints, window: int, months: int) -> Truths:
    """Which starts have two years before them and a whole window after them."""
    return np.asarray((starts >= SHORTEST) & (starts + window <= months))


def _untold(columns: Ints, window: int, months: int) -> InvalidInput | Unavailable:
    over = columns[columns + window <= months]
    if len(over):
        return Unavailable("not-enough-history", needed=SHORTEST, given=int(over.max()))
    given = max(months - int(columns.min()), 0)
    return InvalidInput("plan-unusable", plan="the first start", why=f"{given} of its {window} months are released")


def _adjacency(areas: tuple[str, ...], neighbours: Mapping[str, Collection[str]]) -> Truths:
    place = {area: number for number, area in enumerate(areas)}
    found = np.zeros((len(areas), len(areas)), dtype=bool)
    for area, others in neighbours.items():
        for other in others:
            if area in place and other in place and area != other:
                found[place[area], place[other]] = found[place[other], place[area]] = True
    return found
