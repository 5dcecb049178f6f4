"""What a measure is called in Thai and English, for letters, workbooks and pages."""

from collections.abc import Mapping
from typing import Final

from contracts.dataset import Text
from contracts.measures import QUANTILES, Kind, measure_of

WORDS: Final[Mapping[str, Text]] = {
    Kind.COUNT: Text(th="จำนวนรายการ", en="rows"),
    Kind.PEOPLE: Text(th="จำนวนคนไม่ซ้ำ", en="distinct people"),
    Kind.SUM: Text(th="ผลรวมของ{title}", en="sum of {title}"),
    Kind.MEAN: Text(th="ค่าเฉลี่ยของ{title}", en="mean of {title}"),
    Kind.HISTOGRAM: Text(th="จำนวนรายการในแต่ละช่วงของ{title}", en="rows in each bin of {title}"),
    Kind.RATIO: Text(th="ผลรวมของ{title} ต่อผลรวมของ{divisor}", en="sum of {title} by sum of {divisor}"),
    Kind.SHARE: Text(th="สัดส่วนของแต่ละค่าใน{title}", en="share of each label of {title}"),
    "median": Text(th="มัธยฐานของ{title}", en="median of {title}"),
}
QUANTILE: Final = Text(th="เปอร์เซ็นไทล์ที่ {part} ของ{title}", en="percentile {part} of {title}")


def words_of(measure: str, titles: Mapping[str, Text] | None = None) -> Text:
    """A measure in words, without its unit.

    Args:
        measure: Its name.
        titles: What its columns and dimensions are called, by name; one that is not there goes by its name.
    """
    found = measure_of(measure)
    words = WORDS.get(found.kind) or WORDS.get(measure.partition(":")[2]) or QUANTILE
    part = f"{QUANTILES.get(measure.partition(':')[2], 0):.0%}".rstrip("%")
    names = {"title": found.column, "divisor": found.divisor}
    said = {key: (titles or {}).get(name, Text(th=f" {name}", en=name)) for key, name in names.items()}
    return Text(
        th=words.th.format(part=part, **{key: each.th for key, each in said.items()}),
        en=words.en.format(part=part, **{key: each.en for key, each in said.items()}),
    )
