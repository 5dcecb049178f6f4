"""The fairness checks in Thai and English, and as checks that a publication has to pass."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from contracts.analysis import AnalysisKind, Column, Figure, Report, Statement, Table
from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.forecast import ModelCard
from forecasting.fairness.assess import LEVEL, Assessed
from forecasting.fairness.checks import SAYS_WHERE, Check, Standing
from forecasting.fairness.reporting import Share
from forecasting.fairness.service import Served
from forecasting.words import filled, period_words, words_of

WORDS: Final = Path(__file__).with_name("words.toml")
UNDER_REPORTED, SERVED_WORSE = "under-reported", "served-worse"
REGISTERED, LOOP = "registered-population", "enforcement-loop"
WORST_FIRST: Final = (Standing.WITHHOLD, Standing.FLAGGED, Standing.PASSED, Standing.UNKNOWN)


def report_of(found: Assessed) -> Report:
    """The report of the checks."""
    checks = checks_of(found)
    return Report(
        kind=AnalysisKind.FAIRNESS,
        title=_say("title", month=period_words(found.months[-1])),
        statements=tuple(Statement(text=each.text, flags=each.flags) for each in checks),
        tables=(_checks_table(checks), _reporting_table(found), _service_table(found), _loop_table(found)),
        card=ModelCard(
            data=_say("card_data", releases=", ".join(found.releases)),
            method=_word("card_method"),
            limits=_word("card_limits"),
            first=found.months[0],
            last=found.months[-1],
            models=("fairness-checks",),
        ),
    )


def checks_of(found: Assessed) -> tuple[Check, ...]:
    """Every check, for ``forecasting.fairness.checks.publishable``."""
    return (
        Check("enforcement-source", Standing.PASSED, _word("source")),
        *_reporting(found.shares),
        Check("registered-population", Standing.FLAGGED, _word("population"), (REGISTERED,), (AnalysisKind.FACTORS,)),
        *_service(found),
        _loop(found),
    )


def _reporting(shares: Sequence[Share]) -> tuple[Check, ...]:
    name = "reported-shares"
    told = [each for each in shares if each.share is not None]
    if not told:
        return (Check(name, Standing.UNKNOWN, _word("reporting_unknown"), (UNDER_REPORTED,)),)
    said = [_share_text("reporting_all", each) for each in told if each.by == "all"]
    apart = [each for each in told if each.differs]
    checks = [Check(name, Standing.PASSED, text) for text in said]
    if not apart:
        checks.append(Check(name, Standing.PASSED, _word("reporting_alike")))
    for each in apart:
        text = _share_text("reporting_below" if each.differs < 0 else "reporting_above", each)
        checks.append(Check(name, Standing.FLAGGED, text, (UNDER_REPORTED,)))
    return tuple(checks)


def _share_text(key: str, each: Share) -> Text:
    share = each.share or 0.0
    percents = {"share": share, "low": each.low, "high": each.high}
    times = f"{1.0 / share:.1f}" if share > 0 else "-"
    named = {name: f"{100 * value:.0f}" for name, value in percents.items()}
    return _say(key, name=_axis_title(each.by, each.code), times=times, **named)


def _axis_title(by: str, code: str) -> Text:
    lists = {"region": "nso_regions", "offence_group": "offence_groups"}
    return code_list(lists[by]).titles[code] if by in lists else Text(th=code, en=code)


def _service(found: Assessed) -> tuple[Check, ...]:
    name = "served-alike"
    kinds = (AnalysisKind.WARNINGS,)
    if not found.served:
        return (Check(name, Standing.UNKNOWN, _word("served_unknown"), (), kinds),)
    worse = [each for each in found.served if each.standing in (Standing.FLAGGED, Standing.WITHHOLD)]
    if not worse:
        return (Check(name, Standing.PASSED, _say("served_alike", months=found.tested), (), kinds),)
    return tuple(Check(name, Standing(each.standing), _worse(each), (SERVED_WORSE,), kinds) for each in worse)


def _worse(each: Served) -> Text:
    return _say(
        "served_worse",
        name=_say(f"class_{each.kind}", code=each.name),
        coverage=f"{100 * each.coverage:.0f}",
        level=f"{100 * LEVEL:.0f}",
        bias=f"{100 * each.bias:+.0f}",
    )


def _loop(found: Assessed) -> Check:
    loop, standing = found.loop, Standing(found.loop.standing)
    if loop.correlation is None:
        return Check("enforcement-loop", Standing.UNKNOWN, _word("loop_unknown"), (), SAYS_WHERE)
    key = "loop_passed" if standing is Standing.PASSED else "loop_flagged"
    text = _say(key, value=f"{loop.correlation:.2f}", low=f"{loop.low:.2f}", high=f"{loop.high:.2f}")
    return Check("enforcement-loop", standing, text, () if standing is Standing.PASSED else (LOOP,), SAYS_WHERE)


def _checks_table(checks: Sequence[Check]) -> Table:
    ordered = sorted(checks, key=lambda each: WORST_FIRST.index(each.standing))
    rows = tuple((each.name, each.standing.value, each.text.th, each.text.en) for each in ordered)
    return _table("checks", ("check", "standing", "finding_th", "finding_en"), rows)


def _reporting_table(found: Assessed) -> Table:
    names = ("by", "code", "victims", "share", "low", "high", "differs")
    rows = tuple(
        (each.by, each.code, _rounded(each.victims), _rounded(each.share), *_rounds(each.low, each.high), each.differs)
        for each in found.shares
    )
    return _table("reporting", names, rows)


def _service_table(found: Assessed) -> Table:
    names = ("kind", "name", "areas", "wape", "bias", "bias_error", "coverage", "coverage_error", "standing")
    rows = tuple(_service_row(each) for each in found.served)
    return _table("service", names, rows)


def _service_row(each: Served) -> tuple[Figure, ...]:
    known = each.standing != Standing.UNKNOWN
    return (
        each.kind,
        each.name,
        each.areas,
        *_rounds(each.wape, each.bias),
        _rounded(each.bias_error if known else None),
        _rounded(each.coverage),
        _rounded(each.coverage_error if known else None),
        each.standing,
    )


def _loop_table(found: Assessed) -> Table:
    loop = found.loop
    row = (loop.areas, _rounded(loop.correlation), *_rounds(loop.low, loop.high), loop.standing)
    return _table("loop", ("areas", "correlation", "low", "high", "standing"), (row,))


def _rounds(*figures: float) -> tuple[Figure, ...]:
    return tuple(_rounded(each) for each in figures)


def _rounded(figure: float | None) -> Figure:
    return None if figure is None else round(figure, 4)


def _table(name: str, columns: Sequence[str], rows: tuple[tuple[Figure, ...], ...]) -> Table:
    named = tuple(Column(name=each, title=_word(each)) for each in columns)
    return Table(name=name, title=_word(f"table_{name}"), columns=named, rows=rows)


def _word(key: str) -> Text:
    return words_of(WORDS)[key]


def _say(key: str, **details: object) -> Text:
    return filled(_word(key), **details)
