"""Sheets in every form in which programs write them."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from connectors.intake.blocks import BLOCK_ROWS
from connectors.intake.cells import SERIAL
from connectors.intake.xlsx_cells import cells_of
from connectors.intake.xlsx_rows import XlsxRows
from contracts.errors import InvalidInput

pytestmark = pytest.mark.unit
# ruff: noqa: E501 - a sheet reads best as it is written
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = f"""<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="170" formatCode="[$-107041E]d mmmm yyyy;@"/></numFmts>
<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="71"/><xf numFmtId="4"/></cellXfs></styleSheet>"""
SHARED = f"""<sst xmlns="{MAIN}"><si><t>ก &amp; ข</t></si><si><r><t>จัง</t></r><r><t>หวัด</t></r><rPh><t>อ่าน</t></rPh></si></sst>"""


def workbook(path: Path, rows: str, **parts: str) -> Path:
    book = parts.pop("book", '<sheet name="a" sheetId="1" r:id="rId1"/>')
    head = parts.pop("head", f'<workbook xmlns="{MAIN}" xmlns:r="{REL}">')
    sheet = parts.pop("sheet", f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>')
    written = {
        "xl/workbook.xml": f"{head}{parts.pop('properties', '')}<sheets>{book}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="rId1" Target="{parts.pop("target", "worksheets/s.xml")}"/>'
        '<Relationship Id="rId2" Target="worksheets/other.xml"/></Relationships>',
        "xl/worksheets/s.xml": sheet,
        "xl/worksheets/other.xml": f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="str"><v>other</v></c></row></sheetData></worksheet>',
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": SHARED,
        **parts,
    }
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, text in written.items():
            if text:
                archive.writestr(name, text)
    return path


def read(path: Path, width: int = 3, sheet: str | None = None) -> list[tuple[int, list[str | None], str | None]]:
    found = []
    for block, _ in XlsxRows(path, sheet).blocks(0, width):
        for number, beyond, *cells in zip(
            block.numbers.to_pylist(),
            block.misshapen.to_pylist(),
            *(each.to_pylist() for each in block.cells),
            strict=True,
        ):
            found.append((number, cells, beyond))
    return found


def test_shared_texts_numbers_dates_formulas_and_inline_texts_are_read(tmp_path: Path) -> None:
    rows = (
        '<row r="1" spans="1:3"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1"/></row>'
        '<row r="3"><c r="A3" s="1"><v>45713.5</v></c><c r="B3" s="2"><v>45713</v></c><c r="C3" s="3"><v>45713</v></c></row>'
        '<row r="4"><c r="A4"><v>62</v></c><c r="B4" s="4"><v>0.10000000000000001</v></c><c r="C4"><f>A1</f><v>1.5E3</v></c></row>'
        '<row r="5"><c r="B5" t="inlineStr"><is><t xml:space="preserve"> ตาก</t></is></c><c r="C5" t="b"><v>1</v></c></row>'
        '<row r="6"><c r="A6" t="str"><f>X</f><v>ผล</v></c><c r="B6" t="e"><v>#N/A</v></c><c r="C6" s="1"><v>99999999</v></c></row>'
    )
    assert read(workbook(tmp_path / "a.xlsx", rows)) == [
        (1, ["ก & ข", "จังหวัด", None], None),
        (3, ["2025-02-25 12:00:00", "2025-02-25 00:00:00", "2025-02-25 00:00:00"], None),
        (4, [f"{SERIAL}62", f"{SERIAL}0.1", f"{SERIAL}1500"], None),
        (5, [None, " ตาก", "1"], None),
        (6, ["ผล", "#N/A", f"{SERIAL}99999999"], None),
    ]


def test_unusual_forms_mean_the_same_as_usual_ones() -> None:
    usual = '<row r="2"><c r="A2" s="1" t="s"><v>0</v></c><c r="C2" s="1"><v>5</v></c></row><row r="3"><c r="A3" t="str"><v>x</v></c></row>'
    unusual = (
        "<row spans='1:3' r='2'> <c s='1' t='s' r='A2'><v>0</v></c>\n<c r='C2' s='1'><v>5</v></c></row>"
        '<row r="3"><c t="inlineStr" r="A3"><is><r><t>x</t></r><r><t></t></r></is></c></row>'
    )
    for one, other in zip(_sorted(usual), _sorted(unusual), strict=True):
        assert one == other


def _sorted(rows: str) -> list[object]:
    cells = cells_of(rows, frozenset({"1"}))
    return [
        cells.numbers.tolist(),
        *sorted(zip(cells.places.tolist(), cells.kinds.tolist(), cells.texts.to_pylist(), strict=True)),
    ]


def test_rows_and_cells_without_references_follow_each_other(tmp_path: Path) -> None:
    rows = "<row><c><v>1</v></c><c><v>2</v></c></row><row><c/><c t='str'><v>&lt;b&gt;</v></c></row>"
    assert read(workbook(tmp_path / "a.xlsx", rows)) == [
        (1, [f"{SERIAL}1", f"{SERIAL}2", None], None),
        (2, [None, "<b>", None], None),
    ]


def test_names_may_have_a_prefix(tmp_path: Path) -> None:
    sheet = f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1"><x:c r="A1"><x:v>7</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    assert read(workbook(tmp_path / "a.xlsx", "", sheet=sheet)) == [(1, [f"{SERIAL}7", None, None], None)]


def test_cells_beyond_the_heading_are_told_however_far_they_are(tmp_path: Path) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c><c r="D1"><v>2</v></c><c r="XFD1" t="str"><v>far</v></c><c r="E1" t="str"><v> </v></c></row>'
    assert read(workbook(tmp_path / "a.xlsx", rows)) == [(1, [f"{SERIAL}1", None, None], "2 | far")]


def test_days_may_be_counted_from_1904(tmp_path: Path) -> None:
    rows = '<row r="1"><c r="A1" s="1"><v>44251</v></c></row>'
    path = workbook(tmp_path / "a.xlsx", rows, properties='<workbookPr date1904="1"/>')
    assert XlsxRows(path).from_1904
    assert read(path)[0][1][0] == "2025-02-25 00:00:00"


def test_a_sheet_is_chosen_by_name_by_our_own_name_or_as_the_first_shown(tmp_path: Path) -> None:
    other = '<row r="1"><c r="A1" t="str"><v>first</v></c></row>'
    book = '<sheet name="a" sheetId="1" state="{}" r:id="rId1"/><sheet name="{}" sheetId="2" r:id="rId2"/>'
    shown = workbook(tmp_path / "a.xlsx", other, book=book.format("visible", "b"))
    hidden = workbook(tmp_path / "b.xlsx", other, book=book.format("hidden", "b"))
    ours = workbook(tmp_path / "c.xlsx", other, book=book.format("visible", "ข้อมูล"), target="/xl/worksheets/s.xml")
    assert [read(path)[0][1][0] for path in (shown, hidden, ours)] == ["first", "other", "other"]
    assert read(shown, sheet="b")[0][1][0] == "other"
    assert read(ours, sheet="a")[0][1][0] == "first"
    with pytest.raises(InvalidInput, match="import-sheet-unknown"):
        XlsxRows(shown, "c")


def test_a_book_without_styles_and_shared_texts_is_read(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        '<row r="1"><c r="A1" s="1"><v>5</v></c></row>',
        **{"xl/styles.xml": "", "xl/sharedStrings.xml": ""},
    )
    assert read(path) == [(1, [f"{SERIAL}5", None, None], None)]


@pytest.mark.parametrize(
    "parts",
    [
        {"sheet": f'<!DOCTYPE x [<!ENTITY e "e">]><worksheet xmlns="{MAIN}"><sheetData/></worksheet>'},
        {"head": f'<!DOCTYPE x [<!ENTITY e "e">]><workbook xmlns="{MAIN}" xmlns:r="{REL}">'},
        {"sheet": f'<worksheet xmlns="{MAIN}"></worksheet>'},
        {"rows": '<row r="2"><c r="A2"/></row><row r="1"><c r="A1"/></row>'},
        {"rows": '<row r="1048577"><c r="A1048577"><v>1</v></c></row>'},
        {"rows": '<row r="1"><c r="A1" t="s"><v>99</v></c></row>'},
        {"rows": '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>'},
        {"rows": '<row r="1"><c r="A1"><v>abc</v></c></row>'},
        {"rows": '<row r="1"><!-- c --><c r="A1"><v>1</v></c></row>'},
        {"rows": '<row r="1"><c r="A1"><v>1</v></row>'},
        {"target": "worksheets/none.xml"},
    ],
)
def test_a_workbook_that_contradicts_itself_or_expands_is_refused(tmp_path: Path, parts: dict[str, str]) -> None:
    rows = parts.pop("rows", "")
    with pytest.raises(InvalidInput, match="import-unreadable"):
        read(workbook(tmp_path / "a.xlsx", rows, **parts))


def test_parts_that_unpack_to_too_much_are_refused_before_they_are(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", '<row r="1"><c r="A1"><v>1</v></c></row>')
    data = bytearray(path.read_bytes())
    record = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/sharedStrings.xml"))
    data[record + 24 : record + 28] = (1 << 30).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match="import-too-large"):
        XlsxRows(path)


def test_a_row_that_is_too_long_is_refused(tmp_path: Path) -> None:
    rows = '<row r="1">' + '<c r="A1" t="str"><v>' + "x" * (1 << 25) + "</v></c></row>"
    with pytest.raises(InvalidInput, match="import-unreadable"):
        read(workbook(tmp_path / "a.xlsx", rows))


def test_a_sheet_is_the_same_wherever_it_is_cut(tmp_path: Path) -> None:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" t="s"><v>{n % 2}</v></c></row>'
        for n in range(1, BLOCK_ROWS)
    )
    path = workbook(tmp_path / "a.xlsx", rows)
    found = read(path, 2)
    assert [number for number, _, _ in found] == list(range(1, BLOCK_ROWS))
    assert all(cells == [f"{SERIAL}{number}", ("ก & ข", "จังหวัด")[number % 2]] for number, cells, _ in found)
    assert [line.number for line in XlsxRows(path).first()] == list(range(1, 11))


def test_shared_texts_in_every_form_keep_their_numbers(tmp_path: Path) -> None:
    forms = (
        '<si><t>a</t></si> <si><t xml:space="preserve"> b </t></si><si/><si><t></t></si><si><t>&#3585;</t></si>'
        "<si><r><rPr/><t>c</t></r>\n<r><t>d</t></r><rPh sb='0'><t>no</t></rPh></si>"
    )
    plain = "".join(f"<si><t>{n}</t></si>" for n in range(3))
    cells = "".join(f'<c r="{letter}1" t="s"><v>{n}</v></c>' for n, letter in enumerate("ABCDEF"))
    for prefix, texts, found in (
        ("", forms, ["a", " b ", "", "", "ก", "cd"]),
        ("x:", forms, ["a", " b ", "", "", "ก", "cd"]),
        ("", plain + plain, ["0", "1", "2", "0", "1", "2"]),
    ):
        named = (
            texts.replace("</", f"</{prefix}").replace("<", f"<{prefix}").replace(f"<{prefix}/{prefix}", f"</{prefix}")
        )
        sst = f'<{prefix}sst xmlns{":x" if prefix else ""}="{MAIN}" count="6">{named}</{prefix}sst>'
        path = workbook(tmp_path / "a.xlsx", f'<row r="1">{cells}</row>', **{"xl/sharedStrings.xml": sst})
        assert read(path, 6) == [(1, found, None)]


def test_shared_texts_that_expand_are_refused(tmp_path: Path) -> None:
    sst = f'<!DOCTYPE x [<!ENTITY e "e">]><sst xmlns="{MAIN}"><si><t>&e;</t></si></sst>'
    with pytest.raises(InvalidInput, match="import-unreadable"):
        XlsxRows(workbook(tmp_path / "a.xlsx", "", **{"xl/sharedStrings.xml": sst}))
