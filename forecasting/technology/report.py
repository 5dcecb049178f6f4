"""Online crime in words: ranks, freezing, pace, outlook and trails, as tables and sentences in Thai and English."""

from collections.abc import Sequence
from pathlib import Path

from contracts.analysis import AnalysisKind, Column, Report, Statement, Table
from contracts.analysis import Figure as Cell
from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.forecast import ModelCard
from contracts.measures import PEOPLE
from contracts.release import ReleaseBody
from forecasting.cells import ESTIMATE, SIGMA
from forecasting.technology.beside import CASES, Figure
from forecasting.technology.clamping import amounts
from forecasting.technology.findings import HOLDS, Findings, Options, Order, findings_of
from forecasting.technology.outlook import Coming
from forecasting.technology.ranking import Ranked, ranking
from forecasting.technology.shares import Share
from forecasting.technology.trail import MULE, Trail
from forecasting.words import filled, joined, period_words, words_of
from privacy.plan import Z_95

WORDS = Path(__file__).with_name("words.toml")
SURE = 0.95
THOUSAND, MILLION = 1_000, 1_000_000
MOST_PROVINCES = 10
RANKS = ("rank", "case_type", "figure", "error_95", "p_rank", "p_above_next", "best", "worst")
BESIDE = ("month", "complaints", "complaints_error_95", "cases", "cases_error_95")


def technology_report(bodies: Sequence[ReleaseBody], options: Options | None = None) -> Report:
    """What releases tell of online crime.

    Args:
        bodies: Releases of ``tpo_complaint``, and if there are any of ``tpo_hold``, ``tpo_mule`` and ``crimes_case``.
        options: What is wanted.

    Raises:
        InvalidInput: ``release-not-a-series``, when no release counts complaints by type.
    """
    chosen = options or Options()
    found = findings_of(bodies, chosen)
    ahead = [each for each in (found.cases_ahead, found.damage_ahead) if each is not None]
    covered = sorted({month for order in (found.by_cases, found.by_damage) if order for month in order.months})
    seen = [each.seen for each in ahead]
    return Report(
        kind=AnalysisKind.TECHNOLOGY,
        title=_words("title"),
        statements=tuple(_statements(found, chosen)),
        tables=tuple(_tables(found)),
        card=ModelCard(
            data=_words("card-data", releases=len(found.releases)),
            method=_words("card-method"),
            limits=_words("card-limits"),
            first=min([covered[0], *(first for first, _ in seen)]),
            last=max([covered[-1], *(last for _, last in seen)]),
            models=("level-filter-and-theta",) if ahead else ("none",),
            scores=tuple(each.score for each in ahead),
        ),
    )


# ---------------------------------------------------------------------------------------------------- sentences


def _statements(found: Findings, options: Options) -> list[Statement]:
    return [
        _first(found),
        *_orders(found),
        *_clamps(found),
        *_freezing(found),
        *_paces(found),
        Statement(text=_words("beside"), flags=("never-added",)),
        *_outlook(found, options),
        *_trail(found),
        *_absent(found),
    ]


def _first(found: Findings) -> Statement:
    top = found.by_cases.ranked[0]
    said = {
        "months": _span(found.by_cases.months),
        "cases_type": _type(top.label),
        "cases": f"{top.figure:,.0f}",
    }
    if found.by_damage is None:
        return Statement(text=_words("first-cases", **said))
    costly = found.by_damage.ranked[0]
    damage = {"damage_type": _type(costly.label), "damage": f"{costly.figure / MILLION:,.0f}"}
    return Statement(text=_words("first", **said, **damage), flags=("amounts-clamped",))


def _orders(found: Findings) -> list[Statement]:
    orders = (("cases", found.by_cases), ("damage", found.by_damage))
    return [_order(name, order) for name, order in orders if order is not None and len(order.ranked) > 1]


def _order(name: str, order: Order) -> Statement:
    pairs = list(zip(order.ranked, order.ranked[1:], strict=False))
    unsure = [
        _words("pair", above=own.label, below=below.label, chance=_percent(own.above_next or 0.0))
        for own, below in pairs
        if (own.above_next or 0.0) < SURE
    ]
    if unsure:
        return Statement(text=_words(f"order-unsure-{name}", pairs=joined(unsure)), flags=("order-unsure",))
    least = min(own.above_next or 0.0 for own, _ in pairs)
    return Statement(text=_words(f"order-sure-{name}", least=_percent(least)))


def _clamps(found: Findings) -> list[Statement]:
    if found.by_damage is None:
        return []
    laws = amounts()
    known = [each.label for each in found.by_damage.ranked if each.label in laws]
    least = min(known, key=lambda code: laws[code].kept, default="")
    kept = _words("clamped", code=least, kept=_percent(laws[least].kept)) if least else None
    turned = [_type(label) for label in sorted(found.by_damage.turned)]
    said = [Statement(text=kept, flags=("amounts-clamped",))] if kept else []
    return [
        *said,
        *([Statement(text=_words("turned", types=joined(turned)), flags=("order-unsure",))] if turned else []),
    ]


def _freezing(found: Findings) -> list[Statement]:
    if found.frozen is None:
        return []
    share = found.frozen.together
    if share.value is None or not share.bounded:
        return [Statement(text=_words("frozen-unbounded"), flags=("divisor-below-noise",))]
    parts = {"share": share.value, "low": share.low, "high": share.high}
    shown = {name: f"{100 * part:.1f}" for name, part in parts.items()}
    text = _words("frozen", months=_span(found.frozen.months), **shown)
    return [Statement(text=text, flags=("amounts-clamped",))]


def _paces(found: Findings) -> list[Statement]:
    return [
        Statement(
            text=_words(
                "pace",
                dataset=dataset,
                average=f"{pace.average:,.1f}",
                error=f"{pace.error_95:,.1f}",
                days=pace.days,
                first=period_words(f"{pace.since:%Y-%m}"),
                last=period_words(f"{pace.until:%Y-%m}" if pace.until.day > 1 else _before(pace.until.isoformat())),
                source=_words(f"source-{pace.source}"),
            )
        )
        for dataset, pace in found.paces
    ]


def _outlook(found: Findings, options: Options) -> list[Statement]:
    said = []
    for name, ahead in (("cases", found.cases_ahead), ("damage", found.damage_ahead)):
        if ahead is None:
            said.append(Statement(text=_words("no-outlook", what=_words(f"what-{name}")), flags=("left-out",)))
            continue
        last = period_words(ahead.months[-1])
        text = _words(f"ahead-{name}", horizon=options.horizon, last=last, level=options.level)
        said.append(Statement(text=text, flags=("amounts-clamped",) if name == "damage" else ()))
        if ahead.noisy:
            noisy = _words("ahead-noisy", types=", ".join(ahead.noisy))
            said.append(Statement(text=noisy, flags=("below-noise",)))
    return said


def _trail(found: Findings) -> list[Statement]:
    if not found.trails:
        return []
    said = [Statement(text=_words("trail"), flags=("never-judge-a-holder",))]
    people = next((each for each in found.trails if each.measure == PEOPLE), None)
    if people is not None:
        top = _ranked(people)[0]
        name = code_list("provinces").titles[top.label]
        text = _words("holders", first=name, count=f"{top.figure:,.0f}", chance=_percent(top.right))
        said.append(Statement(text=text, flags=() if top.right >= SURE else ("order-unsure",)))
    return said


def _absent(found: Findings) -> list[Statement]:
    told = {HOLDS: found.frozen, MULE: found.trails, CASES: [each for each in found.months if each.cases is not None]}
    missing = [name for name, part in told.items() if not part]
    return [Statement(text=_words("absent", datasets=", ".join(missing)), flags=("left-out",))] if missing else []


# ------------------------------------------------------------------------------------------------------- tables


def _tables(found: Findings) -> list[Table]:
    tables = [_table("ranks_cases", RANKS, [_rank_row(each) for each in found.by_cases.ranked])]
    if found.by_damage is not None:
        laws = amounts()
        rows = [
            (*_rank_row(each), round(laws[each.label].kept, 2) if each.label in laws else None)
            for each in found.by_damage.ranked
        ]
        tables.append(_table("ranks_damage", (*RANKS, "kept_share"), rows))
    if found.frozen is not None:
        shares = [("all", found.frozen.together), *found.frozen.by_type]
        rows_frozen = [_share_row(label, share) for label, share in shares]
        tables.append(_table("frozen", ("case_type", "share", "low", "high"), rows_frozen))
    rest = [*_pace_table(found), _beside_table(found), *_outlook_tables(found), *_trail_tables(found)]
    return [*tables, *rest, _types_table(found)]


def _rank_row(each: Ranked) -> tuple[Cell, ...]:
    above = None if each.above_next is None else round(each.above_next, 4)
    figures = (_amount(each.figure), _amount(Z_95 * each.sigma), round(each.right, 4), above, each.best, each.worst)
    return (each.rank, each.label, *figures)


def _types_table(found: Findings) -> Table:
    rows = [(each.label, _type(each.label).th, _type(each.label).en) for each in found.by_cases.ranked]
    return _table("types", ("case_type", "name_th", "name_en"), rows)


def _share_row(label: str, share: Share) -> tuple[Cell, ...]:
    if share.value is None or not share.bounded:
        return (label, None, None, None)
    return (label, round(share.value, 4), round(share.low, 4), round(share.high, 4))


def _pace_table(found: Findings) -> list[Table]:
    rows = [
        (
            dataset,
            pace.since.isoformat(),
            pace.until.isoformat(),
            pace.days,
            round(pace.average, 2),
            round(pace.error_95, 2),
            pace.source,
        )
        for dataset, pace in found.paces
    ]
    columns = ("dataset", "since", "until", "days", "average", "error_95", "source")
    return [_table("pace", columns, rows)] if rows else []


def _beside_table(found: Findings) -> Table:
    rows = [(each.month, *_figure_cells(each.complaints), *_figure_cells(each.cases)) for each in found.months]
    return _table("complaints_and_cases", BESIDE, rows)


def _figure_cells(figure: Figure | None) -> tuple[Cell, Cell]:
    return (None, None) if figure is None else (round(figure.value, 1), round(figure.error_95, 1))


def _outlook_tables(found: Findings) -> list[Table]:
    columns = ("case_type", "month", "mean", "low", "high")
    both = (("outlook_cases", found.cases_ahead), ("outlook_damage", found.damage_ahead))
    return [_table(name, columns, _coming_rows(ahead)) for name, ahead in both if ahead is not None]


def _coming_rows(ahead: Coming) -> list[tuple[Cell, ...]]:
    return [
        (label, month, *(_amount(float(part[row, column])) for part in (ahead.mean, ahead.low, ahead.high)))
        for row, label in enumerate(ahead.labels)
        for column, month in enumerate(ahead.months)
    ]


def _trail_tables(found: Findings) -> list[Table]:
    sums = [each for each in found.trails if each.measure != PEOPLE and each.by != "province"]
    rows = [
        (each.by, str(row[each.by]), each.measure, _amount(float(row[ESTIMATE])), _amount(Z_95 * float(row[SIGMA])))
        for each in sums
        for row in each.frame.to_dict("records")
    ]
    tables = [_table("trail", ("by", "code", "measure", "figure", "error_95"), rows)] if rows else []
    provinces = [each for each in found.trails if each.by == "province"]
    placed = [(each.measure, ranked) for each in provinces for ranked in _ranked(each)[:MOST_PROVINCES]]
    if placed:
        columns = ("measure", "rank", "province", "name_th", "figure", "error_95", "p_rank", "best", "worst")
        tables.append(_table("holders", columns, [_holder_row(measure, each) for measure, each in placed]))
    return tables


def _holder_row(measure: str, each: Ranked) -> tuple[Cell, ...]:
    name = code_list("provinces").titles[each.label].th
    figures = (_amount(each.figure), _amount(Z_95 * each.sigma), round(each.right, 4), each.best, each.worst)
    return (measure, each.rank, each.label, name, *figures)


def _ranked(trail: Trail) -> tuple[Ranked, ...]:
    frame = trail.frame
    return ranking(frame[trail.by].astype(str).tolist(), frame[ESTIMATE].tolist(), frame[SIGMA].tolist())


def _table(name: str, columns: Sequence[str], rows: Sequence[tuple[Cell, ...]]) -> Table:
    unit = "THB" if name in ("ranks_damage", "outlook_damage") else ""
    money = ("figure", "error_95", "mean", "low", "high")
    titled = tuple(
        Column(name=each, title=_words(f"column-{each}"), unit=unit if each in money else "") for each in columns
    )
    return Table(name=name, title=_words(f"table-{name}"), columns=titled, rows=tuple(rows))


# -------------------------------------------------------------------------------------------------------- words


def _type(label: str) -> Text:
    return code_list("tech_case_types").titles.get(label, Text(th=label, en=label))


def _span(months: Sequence[str]) -> Text:
    first, last = period_words(months[0]), period_words(months[-1])
    return first if months[0] == months[-1] else Text(th=f"{first.th} ถึง {last.th}", en=f"{first.en} to {last.en}")


def _before(day: str) -> str:
    """The month before the one that begins on a day."""
    year, month = int(day[:4]), int(day[5:7])
    return f"{year - 1}-12" if month == 1 else f"{year}-{month - 1:02d}"


def _amount(figure: float) -> Cell:
    """A figure as published: whole from a thousand on, where a tenth says nothing."""
    return round(figure) if abs(figure) >= THOUSAND else round(figure, 1)


def _percent(part: float) -> str:
    """In per cent; nothing short of certain is shown as certain."""
    shown = f"{100 * part:.0f}"
    return "99.9" if shown == "100" and part < 1.0 else shown


def _words(key: str, **details: object) -> Text:
    return filled(words_of(WORDS)[key], **details)
