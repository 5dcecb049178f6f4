"""How many rows fall in each month, province and category, and on which day and hour each row falls."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from connectors.synthetic.draws import choose
from connectors.synthetic.figures import Columns, Floats, Integers, columns, figures, hour_profile
from connectors.synthetic.truths import TruthKind, truths_of
from contracts.periods import next_month

LEVEL_YEAR = 2024.5
"""The middle of 2024: the levels in the files are those of this time."""

BEND_YEAR = 2025.0
DAYS = 31


@dataclass(frozen=True, slots=True)
class Setting:
    """What is generated: which dataset, how large, over which months (their first days, oldest first)."""

    dataset: str
    scale: float
    months: tuple[date, ...]

    @property
    def categories(self) -> Columns:
        """The dataset's categories and their rates."""
        return columns(self.dataset)


@dataclass(frozen=True, slots=True)
class Rows:
    """One row an element: indices of its month, province and category."""

    month: Integers
    province: Integers
    category: Integers


def months_before(until: date, months: int) -> tuple[date, ...]:
    """The first days of so many whole months that end at or before ``until``, oldest first."""
    last = until.replace(day=1)
    found = []
    for _ in range(months):
        last = (last - timedelta(days=1)).replace(day=1)
        found.append(last)
    return tuple(reversed(found))


def expected(setting: Setting) -> Floats:
    """The expected count of each month, province and category, planted truths included, chance left out."""
    categories = setting.categories
    length = np.array([(next_month(month) - month).days / 365.25 for month in setting.months])
    seasons = np.array([figures()["season"][name] for name in categories.text["season"]])
    seasons /= seasons.mean(axis=1, keepdims=True)
    season = seasons[:, [month.month - 1 for month in setting.months]].T
    level = categories.numbers("per_year") * setting.scale * length[:, None] * season * _trend(setting)
    provinces = columns("provinces")
    weights = np.stack(
        [provinces.numbers("population") * provinces.numbers(name) for name in categories.text["weight"]], axis=1
    )
    table: Floats = level[:, None, :] * (weights / weights.sum(axis=0))[None, :, :]
    return table * _planted(setting)


def draw_counts(rng: np.random.Generator, mean: Floats) -> Integers:
    """Counts around their means: log-normal shocks, shared with neighbours, then Poisson."""
    dispersion = figures()["dispersion"]
    share = float(dispersion["neighbours"])
    variance = float(np.log1p(dispersion["alpha"]))
    own, around = rng.standard_normal((2, *mean.shape))
    mixed = np.einsum("pq,mqc->mpc", _neighbourhood(), around)
    shock = np.sqrt(variance) * (np.sqrt(1 - share) * own + np.sqrt(share) * mixed)
    counts: Integers = rng.poisson(mean * np.exp(shock - variance / 2))
    return counts


def rows_of(counts: Integers) -> Rows:
    """A row for each count; rows of one province stand together."""
    by_province = np.ascontiguousarray(counts.transpose(1, 0, 2))
    cells = np.repeat(np.arange(by_province.size), by_province.ravel())
    province, month, category = np.unravel_index(cells, by_province.shape)
    return Rows(month.astype(np.int64), province.astype(np.int64), category.astype(np.int64))


def days(rng: np.random.Generator, setting: Setting, rows: Rows) -> Integers:
    """The day of each row, as days since 1970: by weekday and holidays, inside its month."""
    categories = setting.categories
    pairs = list(zip(categories.text["week"], categories.numbers("holiday"), strict=True))
    profiles = sorted(set(pairs))
    table = np.array([_day_weights(month, week, holiday) for week, holiday in profiles for month in setting.months])
    profile = np.array([profiles.index(pair) for pair in pairs])[rows.category]
    day = choose(table, profile * len(setting.months) + rows.month, rng.random(len(rows.month)))
    days_since_1970: Integers = _epoch_days(setting)[rows.month] + day
    return days_since_1970


def hours(rng: np.random.Generator, setting: Setting, rows: Rows) -> Integers:
    """The hour of each row, 0 to 23, by its category; a planted shift moves the busy hours from its month on."""
    before = np.array([hour_profile(name) for name in setting.categories.text["hours"]])
    after, since = before.copy(), np.full(len(before), len(setting.months))
    for truth in truths_of(setting.dataset):
        if truth.kind is TruthKind.HOUR_SHIFT and truth.hours is not None:
            for index in _indices(setting, truth.categories):
                after[index] = hour_profile(truth.hours)
                since[index] = len(setting.months) - truth.months_before_end
    shifted = rows.month >= since[rows.category]
    line = rows.category + np.where(shifted, len(before), 0)
    return choose(np.concatenate([before, after]), line, rng.random(len(line)))


def _trend(setting: Setting) -> Floats:
    year = np.array([month.year + (month.month - 0.5) / 12 for month in setting.months])[:, None]
    until_bend = np.minimum(year, BEND_YEAR) - LEVEL_YEAR
    after_bend = np.maximum(year - BEND_YEAR, 0.0)
    categories = setting.categories
    trend: Floats = np.exp(categories.numbers("rise") * until_bend + categories.numbers("drift") * after_bend)
    return trend


def _planted(setting: Setting) -> Floats:
    provinces = columns("provinces").codes
    table = np.ones((len(setting.months), len(provinces), len(setting.categories.codes)))
    for truth in truths_of(setting.dataset):
        elapsed = np.arange(len(setting.months)) - (len(setting.months) - truth.months_before_end)
        growth = truth.factor ** np.clip(elapsed + 1, 0, 1 if truth.kind is TruthKind.JUMP else None)
        where = slice(None) if truth.province is None else [provinces.index(truth.province)]
        for index in _indices(setting, truth.categories):
            table[:, where, index] *= growth[:, None]
    return table


def _indices(setting: Setting, categories: frozenset[str]) -> list[int]:
    return [index for index, code in enumerate(setting.categories.codes) if code in categories]


def _neighbourhood() -> Floats:
    """Mixes provinces with their neighbours so that the variance of each stays one."""
    codes, borders = columns("provinces").codes, columns("neighbours")
    mixing = np.eye(len(codes))
    for one, other in zip(borders.text["a"], borders.text["b"], strict=True):
        i, j = codes.index(one), codes.index(other)
        mixing[i, j] = mixing[j, i] = 1.0
    scaled: Floats = mixing / np.linalg.norm(mixing, axis=1, keepdims=True)
    return scaled


def _epoch_days(setting: Setting) -> Integers:
    return np.array([(month - date(1970, 1, 1)).days for month in setting.months], dtype=np.int64)


def _day_weights(month: date, week: str, holiday: float) -> Floats:
    weights = np.zeros(DAYS)
    first, length = monthrange(month.year, month.month)
    weekday = (first + np.arange(length)) % 7
    weights[:length] = np.array(figures()["week"][week])[weekday]
    for start, end in figures()["holidays"]["spans"]:
        if int(start[:2]) == month.month:
            weights[int(start[3:]) - 1 : int(end[3:])] *= holiday
    return weights
