"""Release cohorts: who was released in a month or a fiscal year, and within how many months who was imprisoned again.

Two forms are read: the bands of ``returned_within``, and the histogram of ``returned_months`` beside the count of the
cohort, whose bins end at 12, 24 and 36 months too. A cohort has been followed up to a band only when everybody in it
was released long enough before the day that the data reach; until then "not returned" means "not yet".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from typing import Self

import numpy as np

from contracts.cell_errors import cell_sigmas
from contracts.code_lists import code_list
from contracts.errors import InvalidInput, Refused
from contracts.periods import BUDDHIST_ERA
from contracts.release import ReleaseBody
from contracts.schedule import BANGKOK
from forecasting.cells import ESTIMATE, SIGMA, cell_table
from forecasting.flow.cohorts import MONTHS, instant, number_of
from forecasting.flow.ratios import NONE, Count
from forecasting.panel import MONTH, Floats

DATASET = "doc_release_cohort"
BANDS, RETURN_BANDS = "returned_within", "return_bands"
HISTOGRAM, COUNT = "returned_months:histogram", "count"
RELEASE_YEAR, YEAR_NAME = "release_fy", "FY"
LAG = timedelta(days=365)
"""The agency brings the cohorts up to date once a year: a release may have data that are so much older."""

Where = Mapping[str, Sequence[str]]

GRACE = 1.0
"""Months of return are whole ones: month 12 ends 13 months after the release."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """The people released in one month or fiscal year.

    Attributes:
        name: ``2023-01`` or ``FY2566``.
        followed: Months for which all of them have been followed.
        upto: The last whole month of each band, ascending.
        returned: Those imprisoned again in each band: estimates and variances, bands x 2.
        other: All of them if ``other_is_all``, else those who were not imprisoned again in any band; its noise is apart
            from that of ``returned`` either way.
        other_is_all: Which of both ``other`` is.
    """

    name: str
    followed: float
    upto: tuple[int, ...]
    returned: Floats
    other: Count
    other_is_all: bool

    @property
    def complete(self) -> int:
        """How many bands have been followed to their end."""
        return sum(self.followed >= each + GRACE for each in self.upto)

    @property
    def released(self) -> Count:
        """How many were released."""
        if self.other_is_all:
            return self.other
        return Count(*(float(each) for each in self.returned.sum(axis=0))) + self.other

    def by(self, upto: tuple[int, ...]) -> Self:
        """The same with fewer bands, each of which ends where one of its own does."""
        ends = np.searchsorted(upto, self.upto)
        inside = ends < len(upto)
        summed = np.zeros((len(upto), 2))
        np.add.at(summed, ends[inside], self.returned[inside])
        later = Count(*(float(each) for each in self.returned[~inside].sum(axis=0)))
        return replace(self, upto=upto, returned=summed, other=self.other if self.other_is_all else self.other + later)


def data_day(body: ReleaseBody, data_as_of: date | None) -> date:
    """The day that a release's data reach at least: the day given, else a year before the release was made.

    Raises:
        Refused: ``data-day-too-early``.
    """
    made = (body.created.astimezone(UTC) + BANGKOK).date()
    if data_as_of is None:
        return made - LAG
    if data_as_of < body.query.period.until:
        raise Refused("data-day-too-early", day=data_as_of, release=body.id, until=body.query.period.until)
    return min(data_as_of, made)


def cohorts(bodies: Sequence[ReleaseBody], where: Where, data_as_of: date | None) -> tuple[Cohort, ...]:
    """Every cohort that releases tell, by the finest bands, the oldest first.

    Of a cohort that several releases tell, the one with more bands counts, then the newest.

    Args:
        bodies: Valid releases of anything.
        where: Only people with these labels.
        data_as_of: The day up to which the agency's data reach.

    Raises:
        Refused: ``data-day-too-early``.
    """
    found: dict[str, Cohort] = {}
    for body in sorted(bodies, key=lambda each: each.created):
        for cohort in _of_release(body, where, data_as_of):
            before = found.get(cohort.name)
            if before is None or len(cohort.upto) >= len(before.upto):
                found[cohort.name] = cohort
    return _one_grain(found.values())


def _one_grain(found: Iterable[Cohort]) -> tuple[Cohort, ...]:
    """Months or fiscal years, whichever tell more, never both: the same people would stand twice; by common bands."""
    told = tuple(found)
    years = [each for each in told if each.name.startswith(YEAR_NAME)]
    months = [each for each in told if not each.name.startswith(YEAR_NAME)]
    kept = months if len(months) > MONTHS * len(years) else years
    common = tuple(sorted(set.intersection(*(set(each.upto) for each in kept)))) if kept else ()
    return tuple(each.by(common) for each in sorted(kept, key=lambda each: each.name))


def _of_release(body: ReleaseBody, where: Where, data_as_of: date | None) -> Iterable[Cohort]:
    """The cohorts of one release: by month, by fiscal year of release, or the whole of it if it is one year's."""
    is_one_year = len(body.query.period.windows()) == 1
    for axis in (MONTH, RELEASE_YEAR, *([""] if is_one_year else [])):
        told = [*_by_bins(body, axis, where)] or [*_by_bands(body, axis, where)]
        if told:
            reached = instant(data_day(body, data_as_of))
            yield from (replace(each, followed=reached - _end(each.name)) for each in told)
            return


def _by_bands(body: ReleaseBody, axis: str, where: Where) -> Iterable[Cohort]:
    listed = code_list(RETURN_BANDS)
    upto = {band.code: band.high for band in listed.bands if band.high is not None}
    for label, cells in _cells(body, COUNT, axis, BANDS, where):
        if set(cells) == set(listed.values):
            later = sum((cells[code] for code in cells if code not in upto), NONE)
            returned = np.array([(cells[code].estimate, cells[code].variance) for code in upto])
            yield Cohort(_name(axis, label, body), 0.0, tuple(upto.values()), returned, later, other_is_all=False)


def _by_bins(body: ReleaseBody, axis: str, where: Where) -> Iterable[Cohort]:
    """The histogram has nobody who did not return: how many were released is the count beside it."""
    bins = next((each.bins for each in body.released if each.measure == HISTOGRAM), ())
    for label, cells in _cells(body, COUNT, axis, "", where):
        returned = _histogram(body, {axis: (label,), **where} if axis else where)
        if returned is not None:
            upto = tuple(edge - 1 for edge in bins)
            yield Cohort(_name(axis, label, body), 0.0, upto, returned[:-1], cells[""], other_is_all=True)


def _histogram(body: ReleaseBody, where: Where) -> Floats | None:
    """The bins of one cohort, added up over all other axes: estimates and variances, bins x 2; None without any.

    ``forecasting.cells`` is not asked: its labels are codes, which the names of bins such as ``<1`` are not.
    """
    released = next((each for each in body.released if each.measure == HISTOGRAM), None)
    if released is None:
        return None
    cells = np.array([released.cells, np.square(cell_sigmas(released, body.grid))], dtype=np.float64)
    shaped = cells.reshape(2, body.grid.size, len(released.bins) + 1)
    names = [each.name for each in body.grid.axes]
    wanted = [
        all(dict(zip(names, key, strict=True)).get(name) in labels for name, labels in where.items())
        for key in list(body.grid.keys())
    ]
    return np.asarray(shaped[:, wanted].sum(axis=1).T, dtype=np.float64)


def _cells(
    body: ReleaseBody, measure: str, axis: str, inner: str, where: Where
) -> Iterable[tuple[str, dict[str, Count]]]:
    """Figures of one release by a cohort's label (``""`` without an axis) and by an inner axis; none if it has none."""
    by = [name for name in (axis, inner) if name]
    try:
        frame = cell_table([body], DATASET, measure, by, where).frame
    except InvalidInput:
        return
    found: dict[str, dict[str, Count]] = {}
    for row in frame.to_dict("records"):
        count = Count(float(row[ESTIMATE]), float(row[SIGMA]) ** 2)
        found.setdefault(str(row.get(axis, "")), {})[str(row.get(inner, ""))] = count
    yield from found.items()


def _end(name: str) -> float:
    """When a cohort's last person was released, at the latest: the end of its month or fiscal year."""
    if name.startswith(YEAR_NAME):
        return float(number_of(f"{int(name.removeprefix(YEAR_NAME)) - BUDDHIST_ERA}-09") + 1)
    return float(number_of(name) + 1)


def _name(axis: str, label: str, body: ReleaseBody) -> str:
    if axis == MONTH:
        return label
    return f"{YEAR_NAME}{label}" if axis == RELEASE_YEAR else body.query.period.windows()[0]
