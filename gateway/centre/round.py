"""What one round of the centre did, as it is printed and kept."""

from pydantic import Field

from contracts.values import Value
from gateway.centre.home import Revision


class Round(Value):
    """What one round did.

    ``releases`` names the valid releases of each activity, ``gaps`` the months of it that nobody has answered,
    ``problems`` the error codes of what could not be had, and ``skipped`` the activities that the agreement lacks and
    the analyses that need them. ``analyses`` has the identifier of each that stands published, by its kind, and
    ``analysis_problems`` why others could not be made.
    ``plans_not_judged`` names what of a registered plan no evaluation tells, by the plan. ``revisions`` are all that
    were declared.
    ``published`` is false when the same forecast stood there already. Seconds are of wall time.
    """

    releases: dict[str, tuple[str, ...]]
    gaps: dict[str, tuple[str, ...]]
    problems: dict[str, tuple[str, ...]]
    skipped: tuple[str, ...]
    revisions: tuple[Revision, ...] = ()
    forecast: str
    published: bool
    series: int
    horizon: int
    exchange_seconds: float
    forecast_seconds: float
    analyses: dict[str, str] = Field(default_factory=dict)
    analysis_problems: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    plans_not_judged: dict[str, tuple[str, ...]] = Field(default_factory=dict)
