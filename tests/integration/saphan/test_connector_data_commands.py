"""``saphan connector generate`` and ``refresh``: an agency made up from its contracts, and what a pilot leaves out."""

import json
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
import pytest
from typer.testing import CliRunner

from saphan.connector_commands import GeneratedAll, Snapshots, app

pytestmark = pytest.mark.integration

LESS = ("--scale", "0.0005", "--months", "14", "--until", "2026-01-20")


def saphan(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout, result.stderr


def agency(tmp_path: Path, name: str, *datasets: str) -> str:
    source = ("--source", f"parquet:///{tmp_path}/tables", "--gateway", "http://127.0.0.1:8000")
    chosen = [word for each in datasets for word in ("--dataset", each)]
    code, _, said = saphan("init", "--home", str(tmp_path / "home"), "--agency", name, *source, *chosen)
    assert code == 0, said
    return str(tmp_path / "home")


def test_every_contract_of_the_home_gets_rows_planted_ones_and_others(tmp_path: Path) -> None:
    home = agency(tmp_path, "ccib", "tpo_complaint", "tpo_hold", "tpo_url")
    code, printed, _ = saphan("generate", "--home", home, *LESS, "--json")
    assert code == 0
    rows = {each.dataset: each.rows for each in GeneratedAll.model_validate_json(printed).datasets}
    assert rows.keys() == {"tpo_complaint", "tpo_hold", "tpo_url"}
    code, printed, _ = saphan("refresh", "--home", home, "--json")
    assert code == 0
    found = Snapshots.model_validate_json(printed).datasets
    assert {each.dataset: each.rows for each in found} == rows
    assert all(each.outside_pilot == () and each.kept_rows > 0 for each in found)


def test_a_table_of_the_agency_itself_is_never_replaced(tmp_path: Path) -> None:
    home = agency(tmp_path, "ccib", "tpo_hold")
    saphan("generate", "--home", home, *LESS)
    path = tmp_path / "tables" / "tpo_hold.parquet"
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    before = path.read_bytes()
    code, _, said = saphan("generate", "--home", home, *LESS)
    assert (code, "table-not-generated" in said) == (2, True)
    assert path.read_bytes() == before


def test_a_refresh_lists_what_lies_outside_the_pilot_and_names_no_value_that_is_in_no_list(tmp_path: Path) -> None:
    home = agency(tmp_path, "rtp", "people_poll")
    contract = next(Path(home, "contracts").glob("*.yaml"))
    text = contract.read_text(encoding="utf-8")
    narrower = "".join(
        line for line in text.splitlines(keepends=True) if line.strip() not in ("- LUMPHINI", "- HUAI_KHWANG")
    )
    contract.write_text(narrower, encoding="utf-8")
    saphan("generate", "--home", home, *LESS)
    code, printed, _ = saphan("refresh", "--home", home, "--json")
    assert code == 0
    (poll,) = Snapshots.model_validate_json(printed).datasets
    left_out = {each.code: each.rows for each in poll.outside_pilot}
    assert set(left_out) == {"LUMPHINI", "HUAI_KHWANG", None}
    assert poll.rows == poll.kept_rows + sum(left_out.values())
    code, printed, _ = saphan("refresh", "--home", home)
    assert f"{sum(left_out.values())} rows outside the pilot were not imported" in printed
    assert f"in no code list: {left_out[None]}" in printed
    assert "NOT_IN_PILOT" not in printed + json.dumps(list(map(str, left_out)))
