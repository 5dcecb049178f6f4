"""Everything that released figures tell of online crime, as numbers; ``report`` puts them in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.errors import InvalidInput
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA, CellTable, cell_table
from forecasting.panel import MONTH, Panel
from forecasting.seasons import SHORTEST
from forecasting.technology.beside import CASES, COMPLAINTS, ONLINE_OFFENCE, MonthBeside, beside, by_month
from forecasting.technology.clamping import turned_round
from forecasting.technology.outlook import Coming, coming_amounts, coming_counts, panel_by
from forecasting.technology.pace import Pace, of_counter, of_months
from forecasting.technology.ranking import Ranked, ranking
from forecasting.technology.shares import Share, share_of
from forecasting.technology.trail import AMOUNT, TRANSFERS, Trail, holders, sums_of_trail

HOLDS = "tpo_hold"
TYPE, COUNT, DAMAGE = "case_type", "count", "damage_thb:sum"
FROZEN, REQUESTED = "frozen_thb:sum", "requested_thb:sum"
TRAILS = (("hop", TRANSFERS), ("hop", AMOUNT), ("exit", TRANSFERS), ("exit", AMOUNT), ("province", AMOUNT))


@dataclass(frozen=True, slots=True)
class Order:
    """The types of cases in their order, by cases or by damage; ``turned`` would change places without clamps."""

    ranked: tuple[Ranked, ...]
    months: tuple[str, ...]
    turned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Frozen:
    """Baht caught in time for each baht asked for, of all types and of each."""

    together: Share
    by_type: tuple[tuple[str, Share], ...]
    months: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found; none or empty where no release tells it."""

    by_cases: Order
    by_damage: Order | None
    frozen: Frozen | None
    paces: tuple[tuple[str, Pace], ...]
    months: tuple[MonthBeside, ...]
    cases_ahead: Coming | None
    damage_ahead: Coming | None
    trails: tuple[Trail, ...]
    releases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """What is wanted.

    Attributes:
        latest: Months that ranks and shares are of, the newest ones; None for all.
        horizon: Months to forecast.
        level: Of the forecasts' intervals, in per cent.
    """

    latest: int | None = 12
    horizon: int = 6
    level: int = 90


def findings_of(bodies: Sequence[ReleaseBody], options: Options) -> Findings:
    """What releases tell of online crime.

    Args:
        bodies: Releases of ``tpo_complaint``, and if there are any of ``tpo_hold``, ``tpo_mule`` and ``crimes_case``.
        options: What is wanted.

    Raises:
        InvalidInput: ``release-not-a-series``, when no release counts complaints by type.
    """
    counts = _recent(bodies, COMPLAINTS, COUNT, options.latest)
    if counts is None:
        raise InvalidInput("release-not-a-series", why=f"{COMPLAINTS} has no count by {TYPE}")
    trails = [holders(bodies), *(sums_of_trail(bodies, by, measure) for by, measure in TRAILS)]
    known = tuple(each for each in trails if each is not None)
    frozen = _recent(bodies, HOLDS, FROZEN, options.latest)
    damage = _recent(bodies, COMPLAINTS, DAMAGE, options.latest)
    ahead = _ahead(bodies, options)
    tables = [each for each in (counts, damage, frozen) if each is not None]
    sources = [*(table.releases for table in tables), *(trail.releases for trail in known)]
    return Findings(
        by_cases=_order(counts),
        by_damage=_order(damage, clamped=True) if damage is not None else None,
        frozen=_frozen(frozen, _recent(bodies, HOLDS, REQUESTED, options.latest)),
        paces=tuple(_paces(bodies)),
        months=beside(bodies),
        cases_ahead=ahead[0],
        damage_ahead=ahead[1],
        trails=known,
        releases=tuple(dict.fromkeys(name for names in sources for name in names)),
    )


def _recent(bodies: Sequence[ReleaseBody], dataset: str, measure: str, latest: int | None) -> CellTable | None:
    """A measure by type, of the newest months if releases tell months, else of all that they cover."""
    try:
        if latest is None:
            return cell_table(bodies, dataset, measure, [TYPE])
        months = cell_table(bodies, dataset, measure, [TYPE, MONTH]).months[-latest:]
    except InvalidInput:
        return None if latest is None else _recent(bodies, dataset, measure, None)
    found = cell_table(bodies, dataset, measure, [TYPE], {MONTH: months})
    return CellTable(found.frame, found.by, months, found.releases)


def _order(table: CellTable, *, clamped: bool = False) -> Order:
    frame = table.frame
    ranked = ranking(frame[TYPE].astype(str).tolist(), frame[ESTIMATE].tolist(), frame[SIGMA].tolist())
    return Order(ranked, table.months, turned_round(ranked) if clamped else frozenset())


def _frozen(part: CellTable | None, whole: CellTable | None) -> Frozen | None:
    if part is None or whole is None:
        return None
    both = part.frame.merge(whole.frame, on=TYPE, suffixes=("", "_whole"), sort=False)
    amounts = both[[ESTIMATE, SIGMA, f"{ESTIMATE}_whole", f"{SIGMA}_whole"]].to_numpy(dtype=float)
    shares = [share_of((row[0], row[1]), (row[2], row[3])) for row in amounts]
    sums, noises = amounts.sum(axis=0), (amounts**2).sum(axis=0) ** 0.5
    return Frozen(
        together=share_of((float(sums[0]), float(noises[1])), (float(sums[2]), float(noises[3]))),
        by_type=tuple(zip(both[TYPE].astype(str), shares, strict=True)),
        months=part.months,
    )


def _paces(bodies: Sequence[ReleaseBody]) -> list[tuple[str, Pace]]:
    found = []
    for dataset, where in ((COMPLAINTS, None), (CASES, {"offence": [ONLINE_OFFENCE]})):
        counter = of_counter(bodies, dataset) if where is None else None
        table = by_month(bodies, dataset, where)
        found += [(dataset, counter)] if counter is not None else []
        found += [(dataset, of_months(table))] if table is not None else []
    return found


def _ahead(bodies: Sequence[ReleaseBody], options: Options) -> tuple[Coming | None, Coming | None]:
    """The coming complaints and damage by type; none without two years of months, or with a gap between them."""
    cases, damage = _panel(bodies, COUNT), _panel(bodies, DAMAGE)
    if cases is None:
        return None, None
    ahead = coming_counts(cases, options.horizon, options.level)
    if damage is None or not damage.counts.columns.equals(cases.counts.columns):
        return ahead, None
    return ahead, coming_amounts(damage, cases, options.horizon, options.level)


def _panel(bodies: Sequence[ReleaseBody], measure: str) -> Panel | None:
    try:
        panel = panel_by(cell_table(bodies, COMPLAINTS, measure, [TYPE, MONTH]), TYPE)
    except InvalidInput:
        return None
    return panel if len(panel.months) >= SHORTEST else None
