"""What is planted in the made-up data, declared as data: tests must find each again through the noise.

A truth begins a number of months before the end of the data, so that any demonstration contains it.
"""

from dataclasses import dataclass
from enum import StrEnum


class TruthKind(StrEnum):
    """In what way a series departs from what is usual."""

    JUMP = "jump"
    HOUR_SHIFT = "hour-shift"
    RISE = "rise"


@dataclass(frozen=True, slots=True)
class Truth:
    """One departure from the usual.

    Attributes:
        name: How tests and the demonstration call it.
        dataset: Where it is planted.
        kind: Whether a level jumps, hours shift, or a level rises month by month.
        categories: The offences or case types that it concerns.
        province: The one province that it concerns; none for the whole country.
        months_before_end: When it begins, counted back from the end of the data.
        factor: Of a jump, the new level; of a rise, the growth in a month; 1 for an hour shift.
        hours: The new busy hours, a name in ``figures.toml``.
    """

    name: str
    dataset: str
    kind: TruthKind
    categories: frozenset[str]
    province: str | None
    months_before_end: int
    factor: float = 1.0
    hours: str | None = None


@dataclass(frozen=True, slots=True)
class Planted:
    """A truth as it stands in generated data: ``since`` is the first month (``YYYY-MM``) that shows it."""

    truth: Truth
    since: str


TRUTHS: tuple[Truth, ...] = (
    Truth(
        name="property-crime-jumps-in-chon-buri",
        dataset="crimes_case",
        kind=TruthKind.JUMP,
        categories=frozenset({"THEFT", "SNATCH", "VEH_CAR", "VEH_MC", "MISCHIEF", "FRAUD", "EMBEZZLE"}),
        province="20",
        months_before_end=18,
        factor=1.7,
    ),
    Truth(
        name="robberies-move-to-the-evening",
        dataset="crimes_case",
        kind=TruthKind.HOUR_SHIFT,
        categories=frozenset({"ROBBERY", "GANG_ROB", "SNATCH"}),
        province=None,
        months_before_end=24,
        hours="18-24",
    ),
    Truth(
        name="investment-fraud-rises",
        dataset="tpo_complaint",
        kind=TruthKind.RISE,
        categories=frozenset({"INVEST"}),
        province=None,
        months_before_end=24,
        factor=1.03,
    ),
)
"""Every planted truth."""


def truths_of(dataset: str) -> tuple[Truth, ...]:
    """The truths that are planted in a dataset."""
    return tuple(truth for truth in TRUTHS if truth.dataset == dataset)
