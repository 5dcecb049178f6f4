"""Reading a column at once and reading each of its texts give the same."""

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.intake.cells import SERIAL, Circumstances, Read, reader_of
from connectors.intake.plain import plain_reader_of
from contracts.odcs_columns import ColumnFacts, ColumnType
from tests.intake_world import wall

pytestmark = pytest.mark.property
AROUND = Circumstances(wall(2026, 11, 21, 12), "person", b"k" * 32)
WORDS = (
    "n/a",
    "NULL",
    "None",
    "-",
    "--",
    "1100701234567",
    "1-1007-01234-56-7",
    "T-001/2568",
    "#REF!",
    "'=1",
    "a\nb",
    "x" * 120,
)
NUMBERS = (
    "12.5",
    "007",
    "1e5",
    "-1",
    "110",
    "111",
    "1,000",
    f"{SERIAL}62",
    f"{SERIAL}0.25",
    "2568",
    "999999999999",
    "12.",
)
TIMES = (
    *(
        "25/2/2568 09.30 น.",
        "25/2/2568 09:30",
        "2025-02-25T09:30:15",
        "31/2/2568 10:00",
        "2/3/2025 09:30",
        "1/1/2399 1.00",
    ),
    *("25/2/2568 24:00", "25/2/25 10:00", "22/11/2569 10:00", "25.2.2568 9.05", "2/25/2025 10:00", "21/11/2569 12:01"),
)
SHAPES = st.from_regex(r"\A[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}[ T][0-9]{1,2}[:.][0-9]{2}( ?น\.)?\Z")
TEXTS = st.one_of(
    st.sampled_from(WORDS + NUMBERS + TIMES),
    SHAPES,
    st.text(max_size=8),
    st.from_regex(r"\A\x02?[0-9]{1,13}(\.[0-9]{1,7})?\Z"),
)
COLUMNS = [
    ("person", ColumnType.STRING, {}),
    ("text", ColumnType.STRING, {}),
    ("short", ColumnType.STRING, {"longest": 5}),
    ("number", ColumnType.NUMBER, {"minimum": 0, "maximum": 110}),
    ("whole", ColumnType.INTEGER, {"minimum": 1}),
    ("free", ColumnType.INTEGER, {}),
    ("moment", ColumnType.TIMESTAMP, {}),
]


@pytest.mark.parametrize(("name", "kind", "facts"), COLUMNS)
@given(st.lists(TEXTS, min_size=1, max_size=10))
def test_what_is_read_at_once_is_what_is_read_one_by_one(
    name: str, kind: ColumnType, facts: dict[str, float], texts: list[str]
) -> None:
    column = ColumnFacts.model_validate(
        {"name": name, "title": "ค", "description": "", "type": kind, "required": True, "key": False}
        | {"classification": "", **facts}
    )
    at_once, one = plain_reader_of(column, AROUND), reader_of(column, AROUND)
    assert at_once is not None
    found = at_once(pa.array(texts, pa.string()))
    for text, known, value in zip(texts, found.known.to_pylist(), found.values.to_pylist(), strict=True):
        if known:
            assert one(text) == Read(value), text


def test_most_texts_are_read_at_once() -> None:
    plain = {
        "person": ("P1", "1100701234567"),
        "text": ("T-001/2568",),
        "number": ("12.5", f"{SERIAL}0.25"),
        "moment": ("25/2/2568 09.30 น.", "2025-02-25T09:30:15"),
    }
    for name, kind, facts in COLUMNS:
        column = ColumnFacts.model_validate(
            {"name": name, "title": "ค", "description": "", "type": kind, "required": True, "key": False}
            | {"classification": "", **facts}
        )
        reader = plain_reader_of(column, AROUND)
        assert reader is not None
        assert all(reader(pa.array(plain.get(name, ()), pa.string())).known.to_pylist())


def test_columns_of_codes_and_days_are_read_one_by_one() -> None:
    column = ColumnFacts(
        name="c", title="ค", description="", type=ColumnType.STRING, required=False, key=False, classification=""
    )
    coded = column.model_copy(update={"code_list": "provinces"})
    assert plain_reader_of(coded, AROUND) is None
    assert plain_reader_of(column.model_copy(update={"labels": ("a",)}), AROUND) is None
    assert plain_reader_of(column.model_copy(update={"type": ColumnType.DATE}), AROUND) is None
