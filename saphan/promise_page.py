"""The figures of the privacy promise, from the contracts that come with the program.

``python -m saphan.promise_page docs/explanation/privacy-promise.md`` writes them into the page, between its markers.
What the page says around them is written by people; a test holds the figures to the contracts.
"""

import math
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from contracts.dataset import DatasetContract, ProtectAt, Text, Tier
from contracts.odcs import bundled_ids, bundled_text, read_contract
from contracts.periods import Period, next_month
from privacy.mechanisms import NANO, epsilon_of

YEARS: Final = 10
"""Over so many fiscal years the loss of one person is summed, beside all that the contracts cover."""

KEYS: Final = 2
"""Under so many keys an agency may know one person by mistake."""

GUESSED: Final = 0.05
"""How often an observer takes a person for one of the data who is not."""

ORDERS: Final = tuple(1 + 2 ** (step / 8) for step in range(-56, 57))
"""Orders of the divergence at which the odds of an observer are bounded; each of them is a bound."""

LANGUAGES: Final = ("th", "en")
HEADS: Final = {
    "th": (
        "ชุดข้อมูล",
        "ผู้ได้รับความคุ้มครอง",
        "ผู้อื่นที่ปรากฏในแถวข้อมูล ซึ่งไม่ได้รับความคุ้มครอง",
        "จำนวนแถวของหนึ่งคนที่นับในหนึ่งปีงบประมาณ",
        "เติมสัญญาณรบกวนที่",
        "งบต่อปีงบประมาณ (nano-rho)",
        "เอปซิลอน ที่เดลตา",
        "ถูกชี้ตัวได้ไม่เกิน",
    ),
    "en": (
        "dataset",
        "who is protected",
        "who else stands in the rows, and is not protected",
        "rows of one person that count in a fiscal year",
        "noise is added",
        "budget of a fiscal year (nano-rho)",
        "epsilon, at delta",
        "found at most",
    ),
}
SUM_HEADS: Final = {
    "th": ("บุคคลหนึ่งซึ่งปรากฏใน", "nano-rho", "เอปซิลอน ที่เดลตา {delta}", "ถูกชี้ตัวได้ไม่เกิน"),
    "en": ("one person who stands in", "nano-rho", "epsilon, at delta {delta}", "found at most"),
}
PLACES: Final = {
    ProtectAt.CONNECTOR: Text(th="หน่วยงาน (`connector`)", en="in the agency (`connector`)"),
    ProtectAt.GATEWAY: Text(th="ศูนย์กลางที่เชื่อถือ (`gateway`)", en="at the trusted centre (`gateway`)"),
}
ROW_IS_PERSON: Final = Text(th="ไม่มีรหัสบุคคล แต่ละแถวถือเป็นหนึ่งคน", en="no key of people: each row is taken for a person")
NO_STATISTICS: Final = Text(th="ไม่ตอบคำถามเชิงสถิติ ไม่มีงบให้ใช้", en="no question is answered, nothing is spent")
NOTHING: Final = "–"
SUMMED: Final = (
    Text(
        th="ชุดข้อมูลเดียวที่มีงบมากที่สุด ในหนึ่งปีงบประมาณ",
        en="the one dataset with the largest budget, in one fiscal year",
    ),
    Text(th="เช่นเดียวกัน แต่ปรากฏภายใต้ {keys} รหัสบุคคล", en="the same, but under {keys} keys of people"),
    Text(th="ชุดข้อมูลเดียวนั้น ใน {years} ปีงบประมาณ", en="that one dataset, in {years} fiscal years"),
    Text(th="ทั้ง {sources} ชุดข้อมูล ในหนึ่งปีงบประมาณ", en="all {sources} datasets, in one fiscal year"),
    Text(th="ทั้ง {sources} ชุดข้อมูล ใน {years} ปีงบประมาณ", en="all {sources} datasets, in {years} fiscal years"),
    Text(
        th="ทั้ง {sources} ชุดข้อมูล ในทุกปีงบประมาณที่สัญญาครอบคลุม (พ.ศ. {first} ถึง {last})",
        en="all {sources} datasets, in every fiscal year that their contracts cover (B.E. {first} to {last})",
    ),
)
"""Whose loss is summed: in the order of ``_summed``; the loss of one person under ``k`` keys is ``k`` squared times.

That is the loss of a group (Bun, Steinke 2016, proposition 1.9).
"""


class Summed(NamedTuple):
    """A person who stands in several windows or datasets, and all that may ever be charged there."""

    who: Text
    nano_rho: int


def tables(contracts: Sequence[DatasetContract]) -> dict[str, str]:
    """Each table of the page by the name of its markers, in Markdown: ``who`` and ``sums``, in Thai and in English."""
    found = {}
    for language in LANGUAGES:
        found[f"who-{language}"] = _table(HEADS[language], [_who(each, language) for each in contracts])
        found[f"sums-{language}"] = _sums(contracts, language)
    return found


def filled(page: str, by_name: Mapping[str, str]) -> str:
    """The page with each table between its markers, ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``.

    Raises:
        ValueError: Markers of a table are missing or stand there twice.
    """
    for name, table in by_name.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise ValueError(f"the page has no place for the table {name}")
        before, rest = page.split(begin)
        page = f"{before}{begin}{table}{end}{rest.split(end)[1]}"
    return page


def right_at_most(nano_rho: int, wrong: float) -> float:
    """How often an observer may rightly find a person who is in the data, if wrong that often of one who is not.

    Whoever decides from all answers together has, by data processing, two probabilities whose Renyi divergences of
    every order ``a`` are at most ``a`` times rho, either way (Bun, Steinke 2016, "Concentrated differential privacy",
    definition 1.1 and lemma 2.2). The largest probability that meets them all is a bound, up to delta.

    Args:
        nano_rho: The loss of the person.
        wrong: Between 0 and 1, both excluded.
    """
    rho, low, high = nano_rho / NANO, wrong, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        within = middle < 1 and all(
            max(_divergence(middle, wrong, order), _divergence(wrong, middle, order)) <= order * rho for order in ORDERS
        )
        low, high = (middle, high) if within else (low, middle)
    return high


def bundled() -> tuple[DatasetContract, ...]:
    """The contracts that come with the program."""
    return tuple(read_contract(bundled_text(each)) for each in bundled_ids())


def _divergence(p: float, q: float, order: float) -> float:
    """The Renyi divergence of two coins."""
    logs = [order * math.log(a) + (1 - order) * math.log(b) for a, b in ((p, q), (1 - p, 1 - q))]
    most = max(logs)
    return (most + math.log(sum(math.exp(each - most) for each in logs))) / (order - 1)


def _who(contract: DatasetContract, language: str) -> tuple[str, ...]:
    unit, privacy = contract.unit, contract.privacy
    person, answered = getattr(unit.person, language), Tier.STATISTICS in contract.tiers
    named = (
        f"[`{contract.id}`](../reference/datasets.md#{contract.id}) {getattr(contract.title, language)}",
        person if unit.column or not answered else f"{person}; {getattr(ROW_IS_PERSON, language)}",
        ", ".join(getattr(each, language) for each in unit.others) or NOTHING,
        _rows(contract, language) if answered else NOTHING,
    )
    if not answered:
        return (*named, getattr(NO_STATISTICS, language), *(NOTHING,) * 3)
    return (
        *named,
        getattr(PLACES[privacy.protect_at], language),
        f"{privacy.nano_rho_per_window:,}",
        f"{_epsilon(privacy.nano_rho_per_window, privacy.delta)}, {privacy.delta}",
        _right(privacy.nano_rho_per_window, language),
    )


def _rows(contract: DatasetContract, language: str) -> str:
    unit = contract.unit
    if unit.shape is None:
        return str(unit.most_rows)
    titles = {each.name: getattr(each.title, language) for each in contract.dimensions}
    if language == "th":
        cell = "กับ".join(titles[name] for name in unit.shape.by)
        return f"{unit.most_rows} (ช่องละไม่เกิน {unit.shape.rows} แถว รวมไม่เกิน {unit.shape.cells} ช่อง แต่ละช่องคือ{cell})"
    cell = " and ".join(titles[name].lower() for name in unit.shape.by)
    return f"{unit.most_rows} (at most {unit.shape.rows} in one cell of {cell}, in at most {unit.shape.cells} cells)"


def _sums(contracts: Sequence[DatasetContract], language: str) -> str:
    delta = min((each.privacy.delta for each in contracts), key=float)
    rows = [
        (getattr(who, language), f"{nano_rho:,}", _epsilon(nano_rho, delta), _right(nano_rho, language))
        for who, nano_rho in _summed([each for each in contracts if Tier.STATISTICS in each.tiers])
    ]
    return _table([each.format(delta=delta) for each in SUM_HEADS[language]], rows)


def _summed(contracts: Sequence[DatasetContract]) -> tuple[Summed, ...]:
    budgets: defaultdict[str, list[int]] = defaultdict(list)
    covered: defaultdict[str, set[str]] = defaultdict(set)
    for each in contracts:
        # Of several contracts over one source the smallest budget counts.
        budgets[each.source].append(each.privacy.nano_rho_per_window)
        covered[each.source].update(_windows(each))
    years = {source: min(mine) for source, mine in budgets.items()}
    largest, together = max(years.values()), sum(years.values())
    every = sorted(set().union(*covered.values()))  # each is FY and its Buddhist year
    named = {"sources": len(years), "keys": KEYS, "years": YEARS, "first": every[0][2:], "last": every[-1][2:]}
    losses = (
        largest,
        KEYS * KEYS * largest,
        YEARS * largest,
        together,
        YEARS * together,
        sum(budget * len(covered[source]) for source, budget in years.items()),
    )
    return tuple(
        Summed(Text(th=who.th.format(**named), en=who.en.format(**named)), nano_rho)
        for who, nano_rho in zip(SUMMED, losses, strict=True)
    )


def _windows(contract: DatasetContract) -> tuple[str, ...]:
    first, last = (date.fromisoformat(f"{month}-01") for month in (contract.first_month, contract.last_month))
    return Period.model_validate({"from": first, "until": next_month(last)}).windows()


def _epsilon(nano_rho: int, delta: str) -> str:
    """Rounded up, so that no more is promised than holds."""
    return f"{math.ceil(epsilon_of(nano_rho, delta) * 100) / 100:.2f}"


def _right(nano_rho: int, language: str) -> str:
    """How often in 100, rounded up."""
    times = min(100, math.ceil(100 * right_at_most(nano_rho, GUESSED)))
    return f"{times} ใน 100 ครั้ง" if language == "th" else f"{times} times in 100"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(each)} |\n" for each in lines)


def _main(arguments: Sequence[str]) -> None:
    page = Path(arguments[0])
    page.write_text(filled(page.read_text(encoding="utf-8"), tables(bundled())), encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1:])
