"""Everything that the public page says, as values: no language, no markup, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from contracts.analysis import PublishedAnalysis
from contracts.forecast import PublishedForecast
from contracts.periods import next_month
from contracts.release import Promise, Release, ReleaseState
from gateway.web.area_warnings import AreaWarnings, area_warnings
from gateway.web.counts import (
    CRIMES_CLOCK,
    CRIMES_MONTHLY,
    FRAUD_MONTHLY,
    VICTIMISATION,
    Cells,
    grouped,
    is_valid,
    newest_cells,
    standing_cells,
)
from gateway.web.daily import CRIMES_DAILY, FRAUDS_DAILY, Daily, daily_average
from gateway.web.estimates import Estimate, change, pace, total
from gateway.web.outlook import EVERYTHING, Choice, Fan, Outlook, fan, outlook

SECONDS_A_DAY = 86_400
YEAR = 12
BUSY_HOURS = 4
FRAUDS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Headline:
    """How often a case is reported, over the last ``months`` (at most twelve), and the newest month's figures.

    ``seconds`` from one case to the next; ``latest`` in cases; ``since_last_year`` in percent of the same month a year
    before, None where that month is not released.
    """

    months: tuple[str, ...]
    seconds: Estimate | None
    latest: Estimate
    since_last_year: Estimate | None


@dataclass(frozen=True, slots=True)
class ClockHour:
    """One hour of the day, ``00`` to ``23``: all cases, and the cases of each victimisation group."""

    hour: str
    cases: Estimate
    groups: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """The crime clock over whole months; ``busiest`` is the first hour of the busiest four in a row."""

    first_month: str
    last_month: str
    hours: tuple[ClockHour, ...]
    busiest: int
    busiest_share: Estimate
    """The busiest hours' part of all cases, in percent."""


@dataclass(frozen=True, slots=True)
class Fraud:
    """One type of online fraud over the last ``months``: complaints, and damage in baht where it was released."""

    case_type: str
    cases: Estimate
    damage: Estimate | None


@dataclass(frozen=True, slots=True)
class Frauds:
    """The most reported types of online fraud, over the months named."""

    months: tuple[str, ...]
    listed: tuple[Fraud, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A public release: what it covers, what it promises, whether it still stands, whether the forecast cites it."""

    id: str
    activity: str
    first_month: str
    last_month: str
    created: datetime
    promises: tuple[Promise, ...]
    state: ReleaseState
    reason: str
    replaced_by: str | None
    is_cited: bool


@dataclass(frozen=True, slots=True)
class HomeView:
    """The public page. Each part is None where nothing valid is published for it."""

    headline: Headline | None
    daily: Daily | None
    frauds_daily: Daily | None
    clock: Clock | None
    outlook: Outlook | None
    fan: Fan | None
    frauds: Frauds | None
    warnings: AreaWarnings | None
    published: PublishedForecast | None
    sources: tuple[Source, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was published yet."""
        return self.published is None and not self.sources

    @property
    def updated(self) -> datetime | None:
        """When the newest part was published."""
        made = [each.created for each in self.sources]
        if self.published:
            made.append(self.published.forecast.created)
        return max(made, default=None)


def home_view(
    published: PublishedForecast | None,
    releases: Sequence[Release],
    choice: Choice,
    warnings: PublishedAnalysis | None = None,
) -> HomeView:
    """The page for what is published now.

    Args:
        published: The newest published forecast.
        releases: The public releases, in any order; those not public are left out.
        choice: What the fan chart shows.
        warnings: The newest published warnings.
    """
    crimes = standing_cells(releases, CRIMES_MONTHLY, ("month", "province", "offence_group"))
    nation = _nation(releases, crimes)
    return HomeView(
        headline=_headline(nation),
        daily=daily_average(releases, CRIMES_DAILY),
        frauds_daily=daily_average(releases, FRAUDS_DAILY),
        clock=_clock(releases),
        outlook=outlook(published.forecast) if published else None,
        fan=fan(published.forecast, nation if choice.province == EVERYTHING else crimes, choice) if published else None,
        frauds=_frauds(releases),
        warnings=area_warnings(warnings),
        published=published,
        sources=_sources(releases, published),
    )


def _nation(releases: Sequence[Release], crimes: Cells) -> Cells:
    """The country's cases by month and offence group, keyed as provinces are: its own table, or else their sums."""
    own = standing_cells(releases, CRIMES_MONTHLY, ("month", "offence_group"))
    if own:
        return {(month, EVERYTHING, group): figure for (month, group), figure in own.items()}
    return crimes


def _headline(crimes: Cells) -> Headline | None:
    by_month = grouped(crimes, lambda key: key[0] if key[2] in VICTIMISATION else None)
    monthly = {month: total(figures) for month, figures in by_month.items()}
    if not monthly:
        return None
    months = tuple(monthly)[-YEAR:]
    latest = months[-1]
    before = monthly.get(f"{int(latest[:4]) - 1}{latest[4:]}")
    return Headline(
        months=months,
        seconds=pace(SECONDS_A_DAY * sum(map(_days, months)), total(monthly[each] for each in months)),
        latest=monthly[latest],
        since_last_year=change(monthly[latest], before) if before else None,
    )


def _days(month: str) -> int:
    first = date.fromisoformat(f"{month}-01")
    return (next_month(first) - first).days


def _clock(releases: Sequence[Release]) -> Clock | None:
    found = newest_cells(releases, CRIMES_CLOCK, ("hour", "offence_group"))
    if found is None:
        return None
    release, cells = found
    hours = tuple(_hour(hour, cells) for hour in sorted({key[0] for key in cells}))
    everything = total(each.cases for each in hours)
    stretches = [total(_stretch(hours, start)) for start in range(len(hours))]
    busiest = max(range(len(hours)), key=lambda start: stretches[start].value, default=0)
    if not hours or everything.value <= everything.error:
        return None
    months = release.body.query.period.months()
    return Clock(months[0], months[-1], hours, busiest, _share(stretches[busiest], everything))


def _hour(hour: str, cells: Cells) -> ClockHour:
    groups = tuple(cells[hour, group] for group in VICTIMISATION)
    return ClockHour(hour, total(groups), groups)


def _stretch(hours: Sequence[ClockHour], start: int) -> tuple[Estimate, ...]:
    return tuple(hours[(start + step) % len(hours)].cases for step in range(BUSY_HOURS))


def _share(part: Estimate, whole: Estimate) -> Estimate:
    # The whole's own error is a few times smaller than the part's relative error: both are counted all the same.
    share = part.value / whole.value
    return Estimate(100 * share, 100 * (part.error + share * whole.error) / whole.value)


def _frauds(releases: Sequence[Release]) -> Frauds | None:
    axes = ("month", "case_type")
    counts = standing_cells(releases, FRAUD_MONTHLY, axes)
    damages = standing_cells(releases, FRAUD_MONTHLY, axes, measure="damage_thb:sum")
    months = tuple(sorted({key[0] for key in counts}))[-YEAR:]
    if not months:
        return None
    cases, damage = _by_type(counts, months), _by_type(damages, months)
    listed = [Fraud(name, figure, damage.get(name)) for name, figure in cases.items()]
    listed.sort(key=lambda each: (-each.cases.value, each.case_type))
    return Frauds(months, tuple(listed[:FRAUDS_SHOWN]))


def _by_type(cells: Cells, months: Sequence[str]) -> dict[str, Estimate]:
    wanted = frozenset(months)
    groups = grouped(cells, lambda key: key[1] if key[0] in wanted else None)
    return {name: total(figures) for name, figures in groups.items()}


def _sources(releases: Sequence[Release], published: PublishedForecast | None) -> tuple[Source, ...]:
    cited = {each.release for each in published.forecast.citations} if published else set()
    public = [each for each in releases if each.is_public]
    public.sort(key=lambda each: (each.body.created, each.body.id), reverse=True)
    return tuple(_source(each, is_cited=each.body.id in cited) for each in public)


def _source(release: Release, *, is_cited: bool) -> Source:
    body, gone = release.body, None if is_valid(release) else release.withdrawal
    months = body.query.period.months()
    return Source(
        id=body.id,
        activity=body.activity,
        first_month=months[0],
        last_month=months[-1],
        created=body.created,
        promises=body.promises,
        state=gone.state if gone else ReleaseState.VALID,
        reason=gone.reason if gone else "",
        replaced_by=gone.replaced_by if gone else None,
        is_cited=is_cited,
    )
