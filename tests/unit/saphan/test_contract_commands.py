"""``saphan contract``: what it prints and how it ends."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.errors import Problem
from contracts.odcs import bundled_text, read_contract
from saphan.contract_commands import Listing, Verdicts, app

pytestmark = pytest.mark.unit


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
    assert "bad.odcs.yaml: status-active: status" in out
    assert "Only a contract with the status active has effect." in out
    assert "สัญญาต้องมีสถานะ active จึงมีผล" in out


def test_verdicts_are_one_json_object(good: Path, bad: Path) -> None:
    code, out, _ = saphan("lint", "--json", str(good), str(bad))
    assert code == 2
    first, second = Verdicts.model_validate_json(out).files
    assert first.contract == read_contract(bundled_text("dop_case")).reference
    assert (first.broken, second.contract) == ((), None)
    assert [each.rule for each in second.broken] == ["status-active"]


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
    assert [line.split()[0] for line in out.splitlines()] == ["crimes_case", "dop_case", "tpo_complaint"]


def test_all_contracts_are_one_json_object() -> None:
    code, out, _ = saphan("show", "--json")
    assert code == 0
    assert len(Listing.model_validate_json(out).contracts) == 3


def test_one_contract_is_shown_with_its_promise() -> None:
    code, out, _ = saphan("show", "tpo_complaint")
    assert code == 0
    assert "ผู้เสียหาย / victim, 3 rows in a fiscal year" in out
    assert "damage_thb:mean" in out
    assert "month            เดือนที่รับแจ้ง / Month reported (month)" in out
    assert "(77 codes)" in out


def test_one_contract_is_one_json_object() -> None:
    code, out, _ = saphan("show", "tpo_complaint", "--json")
    assert code == 0
    contract = read_contract(bundled_text("tpo_complaint"))
    assert contract.model_validate_json(out) == contract


def test_an_unknown_contract_is_invalid_input() -> None:
    code, out, err = saphan("show", "nothing")
    assert (code, out) == (2, "")
    assert "unknown-contract (1104)" in err
