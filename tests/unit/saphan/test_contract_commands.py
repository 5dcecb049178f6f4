"""``saphan contract``: what it prints and how it ends."""

from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.errors import Problem
from contracts.odcs import bundled_ids, bundled_text, read_contract
from contracts.odcs_rules import FIXES, RULES
from saphan.contract_commands import Listing, Verdicts, app

pytestmark = pytest.mark.unit
TEXT = bundled_text("dop_case")


def saphan(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.odcs.yaml"
    path.write_text(bundled_text("dop_case"), encoding="utf-8")
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.odcs.yaml"
    path.write_text(bundled_text("dop_case").replace("status: active", "status: draft"), encoding="utf-8")
    return path


def test_a_good_file_passes_with_its_digest(good: Path) -> None:
    code, out, _ = saphan("lint", str(good))
    assert code == 0
    assert read_contract(bundled_text("dop_case")).digest in out


def test_a_broken_file_fails_as_invalid_input_and_says_why_in_both_languages(good: Path, bad: Path) -> None:
    code, out, _ = saphan("lint", str(good), str(bad))
    assert code == 2
    assert "bad.odcs.yaml:6: status-active: status" in out
    assert "$.status" in out
    assert "Only a contract with the status active has effect." in out
    assert "สัญญาต้องมีสถานะ active จึงมีผล" in out
    assert "Fix: Write status: active once steward and DPO are ready to sign." in out
    assert "แก้ไข: เขียน status: active" in out


def test_verdicts_are_one_json_object(good: Path, bad: Path) -> None:
    code, out, _ = saphan("lint", "--json", str(good), str(bad))
    assert code == 2
    first, second = Verdicts.model_validate_json(out).files
    assert first.contract == read_contract(bundled_text("dop_case")).reference
    assert (first.broken, second.contract) == ((), None)
    (broken,) = second.broken
    assert (broken.rule, broken.where, broken.path, broken.line) == ("status-active", "status", "$.status", 6)
    assert (broken.asks, broken.fix) == (RULES["status-active"], FIXES["status-active"])


BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in pairwise("abcdefghijklmnopqrstuvwxyz"))


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (BOMB, "yaml-plain"),
        ("ก" * 10_000_000, "yaml"),
        ("[" * 100_000, "yaml-plain"),
        (TEXT.replace("version: 1.0.0", "version: 1.0.0\nversion: 1.0.0"), "yaml-plain"),
        (TEXT.replace("nanoRhoPerWindow: 200000000", "nanoRhoPerWindow: .nan"), "canonical"),
        (TEXT.replace("nanoRhoPerWindow: 200000000", "nanoRhoPerWindow: -200000000"), "extra-form"),
        (TEXT.replace("nanoRhoPerWindow: 200000000", "epsilon: -1"), "extra-form"),
        (TEXT.replace("maxDimensions: 4", "maxDimensions: 4, colour: blue"), "extra-form"),
        (TEXT.replace("name: office", "name: office; drop table dop_case"), "column-name"),
        (bundled_text("dop_em").replace("clamp: [0, 20]", "clamp: [20, 0]"), "measure-column"),
    ],
    ids=["bomb", "10 MB", "deep", "key twice", "NaN", "negative", "epsilon", "unknown extra", "SQL", "reversed clamp"],
)
def test_bad_input_is_refused_by_a_rule_that_says_how_to_mend_it(tmp_path: Path, content: str, rule: str) -> None:
    path = tmp_path / "x.odcs.yaml"
    path.write_text(content, encoding="utf-8")
    code, out, _ = saphan("lint", "--json", str(path))
    assert code == 2
    (verdict,) = Verdicts.model_validate_json(out).files
    assert verdict.contract is None
    assert rule in {each.rule for each in verdict.broken}
    assert all(each.fix.th and each.fix.en and each.line >= 1 for each in verdict.broken)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_invalid_input(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.yaml"
    if content is not None:
        path.write_bytes(content)
    code, out, err = saphan("lint", str(path))
    assert (code, out) == (2, "")
    assert "file-unreadable (1152)" in err
    assert "UTF-8 ไม่ได้" in err


def test_a_problem_is_one_json_object(tmp_path: Path) -> None:
    code, out, _ = saphan("lint", "--json", str(tmp_path / "absent"))
    assert code == 2
    assert Problem.model_validate_json(out).code == "file-unreadable"


def test_all_contracts_are_listed() -> None:
    code, out, _ = saphan("show")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(bundled_ids())


def test_all_contracts_are_one_json_object() -> None:
    code, out, _ = saphan("show", "--json")
    assert code == 0
    assert len(Listing.model_validate_json(out).contracts) == 17


def test_one_contract_is_shown_with_its_promise() -> None:
    code, out, _ = saphan("show", "tpo_complaint")
    assert code == 0
    assert "ผู้เสียหาย / victim, 3 rows in a fiscal year" in out
    assert "damage_thb:mean" in out
    assert "month            เดือนที่รับแจ้ง / Month reported (month)" in out
    assert "(77 codes)" in out


def test_one_contract_is_shown_with_its_law_its_contacts_and_its_clamps() -> None:
    _, out, _ = saphan("show", "tpo_complaint")
    assert "epsilon 5.01 at delta 1e-7" in out
    assert "sensitive, s. 26: criminal-record, exemption s4-5" in out
    assert "section 24(3)" in out
    assert "ลับ / Confidential" in out
    assert "3650 days after the event" in out
    assert "data protection officer: เจ้าหน้าที่คุ้มครองข้อมูลส่วนบุคคล" in out
    assert "มูลค่าความเสียหาย / Damage, 0 to 1,000,000 THB a row" in out
    assert "case_type SHOP         0 to 150,000" in out


def test_a_pilot_and_the_rows_of_a_feed_are_shown() -> None:
    assert "pilot       only station = LUMPHINI, " in saphan("show", "people_poll")[1]
    assert "every row counts as one of its own" in saphan("show", "people_poll")[1]
    assert "feed        only kind = WEB" in saphan("show", "tpo_url")[1]
    assert "nothing about a person" in saphan("show", "ref_population")[1]


def test_one_contract_is_one_json_object() -> None:
    code, out, _ = saphan("show", "tpo_complaint", "--json")
    assert code == 0
    contract = read_contract(bundled_text("tpo_complaint"))
    assert contract.model_validate_json(out) == contract


def test_an_unknown_contract_is_invalid_input() -> None:
    code, out, err = saphan("show", "nothing")
    assert (code, out) == (2, "")
    assert "unknown-contract (1104)" in err
