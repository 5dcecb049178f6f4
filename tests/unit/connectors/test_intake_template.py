"""Templates: what they say, and that what they say is what the importer takes."""

import json
from io import BytesIO

import openpyxl
import pytest

from connectors.intake.blocks import Line
from connectors.intake.cells import Circumstances, reader_of
from connectors.intake.heading import find_heading
from connectors.intake.template import EXAMPLE_SHEET, EXPLANATION_SHEET, text_file, workbook
from connectors.intake.template_words import Words, words_of
from connectors.intake.xlsx_parts import DATA_SHEET
from connectors.shelf import WrittenContract
from contracts.code_lists import code_list
from contracts.odcs import bundled_ids, bundled_text, canonical_document, read_contract
from contracts.odcs_columns import ColumnType, columns_of
from tests.intake_world import wall

pytestmark = pytest.mark.unit


def written(dataset: str) -> WrittenContract:
    text = bundled_text(dataset)
    return WrittenContract(read_contract(text), canonical_document(text))


def words(dataset: str = "tpo_complaint") -> Words:
    return words_of(written(dataset))


@pytest.mark.parametrize("dataset", bundled_ids())
def test_the_example_of_every_column_of_every_contract_is_read_without_fault(dataset: str) -> None:
    contract = written(dataset)
    around = Circumstances(wall(2026, 11, 21), contract.contract.unit.column, b"k" * 32)
    said = words_of(contract)
    for column, example in zip(said.columns, said.examples, strict=True):
        read = reader_of(column, around)(example)
        assert read.rule is None, (column.name, example)
        assert read.value is not None


@pytest.mark.parametrize("dataset", bundled_ids())
def test_the_heading_of_every_template_is_understood(dataset: str) -> None:
    columns = columns_of(json.loads(written(dataset).document))
    said = words_of(written(dataset))
    lines = [Line(1, [each.title for each in columns]), Line(2, [each.name for each in columns])]
    heading = find_heading(lines, columns, ignore_unknown=False)
    assert heading.last == 2
    assert heading.positions == {each.name: place for place, each in enumerate(said.columns)}


def test_a_workbook_has_data_explanation_example_and_codes() -> None:
    book = openpyxl.load_workbook(BytesIO(workbook(words())))
    assert book.sheetnames[:3] == [DATA_SHEET, EXPLANATION_SHEET, EXAMPLE_SHEET]
    data = book[DATA_SHEET]
    assert [cell.value for cell in data[1]][:2] == ["เลขรับแจ้งความ", "รหัสผู้เสียหาย"]
    assert [cell.value for cell in data[2]][:2] == ["case_ref", "victim_id"]
    assert data.max_row == 2
    codes = book["code_provinces"]
    assert codes.max_row == 78
    assert [cell.value for cell in codes[2]] == ["10", "กรุงเทพมหานคร", "Bangkok"]


def test_drop_downs_show_the_names_of_the_code_list() -> None:
    data = openpyxl.load_workbook(BytesIO(workbook(words())))[DATA_SHEET]
    guides = {str(each.sqref).split(":")[0]: each for each in data.data_validations.dataValidation}
    assert guides["E3"].formula1 == "'code_provinces'!$B$2:$B$78"
    assert guides["M3"].formula1 == "'code_yes_no'!$B$2:$B$4"
    assert guides["C3"].type is None
    assert "25/2/2568 09.30 น." in guides["C3"].prompt


def test_texts_stay_texts_and_numbers_numbers() -> None:
    data = openpyxl.load_workbook(BytesIO(workbook(words())))[DATA_SHEET]
    assert data.column_dimensions["A"].number_format == "@"
    assert data.column_dimensions["C"].number_format == "@"
    assert data.column_dimensions["J"].number_format == "General"


def test_a_template_says_what_is_never_collected_and_what_becomes_of_a_person_s_number() -> None:
    notes = "\n".join(words().notes)
    assert "สิ่งที่ไม่เก็บเด็ดขาด" in notes
    assert "คอลัมน์ รหัสผู้เสียหาย" in notes
    assert "แปลงเป็นรหัสทางเดียวทันที" in notes
    assert "ใช้แยกว่าแถวใดเป็นบุคคลเดียวกัน" not in "\n".join(words("ref_population").notes)
    assert "พื้นที่นำร่อง" in "\n".join(words("people_poll").notes)


def test_a_text_file_is_a_heading_and_what_explains_it() -> None:
    data, explanation = text_file(words())
    assert data.decode("utf-8-sig").startswith("เลขรับแจ้งความ,รหัสผู้เสียหาย,")
    assert data.count(b"\n") == 1
    said = explanation.decode("utf-8-sig")
    assert "อายุผู้เสียหาย | victim_age" in said
    assert "0 ถึง 110" in said
    assert "63 | ตาก | Tak" in said


def test_columns_are_read_from_the_contract_itself() -> None:
    by_name = {each.name: each for each in words().columns}
    assert by_name["damage_thb"].minimum == 0  # from its rule that no row may lie below
    assert by_name["victim_age"].maximum == 110
    assert by_name["victim_age"].code_list is None  # ages fall into bands
    assert by_name["province"].code_list == "provinces"
    assert by_name["case_ref"].key
    assert by_name["linked"].type is ColumnType.BOOLEAN
    phases = {each.name: each for each in words("ssz_station_month").columns}
    assert phases["phase"].code_list == "ssz_phases"
    assert code_list("ssz_phases").values == ("1", "2")
