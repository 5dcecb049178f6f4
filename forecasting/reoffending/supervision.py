"""After probation: who completed it, and who of them reoffended within twelve months of its end.

Whether somebody reoffended is known twelve months after the end at the earliest; until then it is not known, and stands
so in the count. The share is of those of whom it is known. What it would be if nobody, or everybody, of the others had
reoffended stands beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from contracts.code_lists import code_list
from contracts.release import ReleaseBody
from forecasting.flow.cohorts import MONTHS, YearCohort, year_cohorts
from forecasting.flow.funnel import YEAR_NOT_WHOLE, about_year
from forecasting.flow.ratios import Count, Ratio, ratio, share_of

CASES = "dop_case"
REOFFENDED, RESULT, TYPE = "reoffended_12m", "result", "type"
YES, NO, UNKNOWN = "Y", "N", "U"
OPEN = "OPEN"
OUTCOME_UNKNOWN = "outcome-unknown"
UNKNOWN_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Reoffended:
    """Cases of one fiscal year of opening, with one result or type, or all of them (``""``).

    Attributes:
        fiscal_year: When they were opened.
        axis: ``result``, ``type`` or nothing.
        code: The code on it.
        cases: All of them.
        share: Reoffended, of those of whom it is known.
        unknown: Of whom it is not known, of all.
        lowest: Reoffended of all, as if nobody else had.
        highest: As if everybody else had.
        flags: Codes of what a reader must know.
    """

    fiscal_year: str
    axis: str
    code: str
    cases: Count
    share: Ratio
    unknown: Ratio
    lowest: Ratio
    highest: Ratio
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Completed:
    """How the cases of one fiscal year of opening ended: ``shares`` by result, of those that have ended."""

    fiscal_year: str
    cases: Count
    open: Ratio
    shares: dict[str, Ratio]
    flags: tuple[str, ...]


def reoffended(bodies: Sequence[ReleaseBody], level: int, data_as_of: date | None) -> tuple[Reoffended, ...]:
    """Reoffending after probation by year, in all and by result and type, as far as releases tell it.

    Raises:
        Refused: ``data-day-too-early``.
    """
    found: list[Reoffended] = []
    parts = [("", "")]
    parts += [(RESULT, code) for code in code_list("em_outcomes").values if code != OPEN]
    parts += [(TYPE, code) for code in code_list("probation_case_types").values]
    for axis, code in parts:
        where = {axis: (code,)} if axis else {}
        told = year_cohorts(bodies, CASES, REOFFENDED, where, data_as_of)
        found.extend(_reoffended(each, axis, code, level) for each in told if {YES, NO, UNKNOWN} <= set(each.counts))
    return tuple(found)


def completed(bodies: Sequence[ReleaseBody], level: int, data_as_of: date | None) -> tuple[Completed, ...]:
    """How probation ended, by fiscal year of opening.

    Raises:
        Refused: ``data-day-too-early``.
    """
    listed = code_list("em_outcomes").values
    found = []
    for cohort in year_cohorts(bodies, CASES, RESULT, {}, data_as_of):
        if set(cohort.counts) != set(listed):
            continue
        ended = [code for code in listed if code != OPEN]
        is_open = share_of(cohort.counts[OPEN], cohort.total(ended), level)
        shares = {
            code: _chancy(cohort.counts[code], cohort.total([each for each in ended if each != code]), level)
            for code in ended
        }
        found.append(Completed(cohort.fiscal_year, cohort.total(), is_open, shares, about_year(cohort, is_open)))
    return tuple(found)


def _reoffended(cohort: YearCohort, axis: str, code: str, level: int) -> Reoffended:
    yes, no, unknown = (cohort.counts[each] for each in (YES, NO, UNKNOWN))
    share, missing = _chancy(yes, no, level), share_of(unknown, yes + no, level)
    flags = [*share.flags]
    if missing.value is None or missing.value > UNKNOWN_SHARE:
        flags.append(OUTCOME_UNKNOWN)
    if cohort.months < MONTHS:
        flags.append(YEAR_NOT_WHOLE)
    return Reoffended(
        fiscal_year=cohort.fiscal_year,
        axis=axis,
        code=code,
        cases=yes + no + unknown,
        share=share,
        unknown=missing,
        lowest=share_of(yes, no + unknown, level),
        highest=share_of(yes + unknown, no, level),
        flags=tuple(dict.fromkeys(flags)),
    )


def _chancy(part: Count, rest: Count, level: int) -> Ratio:
    """The share of ``part`` as a chance: noise of both counts, and chance among so many people.

    Chance moves people between the two and leaves their sum as it is, so it adds to the numerator alone.
    """
    total = part + rest
    plain = share_of(part, rest, level)
    if plain.value is None:
        return plain
    by_chance = total.estimate * plain.value * (1.0 - plain.value)
    found = ratio(Count(part.estimate, part.variance + by_chance), total, part.variance, level)
    value, low, high = (min(max(each or 0.0, 0.0), 1.0) for each in (found.value, found.low, found.high))
    return Ratio(value, low, high, plain.flags)
