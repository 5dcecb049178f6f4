"""``saphan gateway``: a home from nothing, a database that is up to date, a start that says what is wrong."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.federation import Federation, Member
from contracts.keys import key_file_name
from gateway.home import PURPOSES, GatewayHome
from gateway.main import create_app
from gateway.settings import load_settings
from gateway.store.migrate import check
from saphan.gateway_commands import app

pytestmark = pytest.mark.integration


def run(*arguments: str) -> tuple[int, str, str]:
    answer = CliRunner().invoke(app, list(arguments))
    return answer.exit_code, answer.stdout, answer.stderr


def test_a_gateway_is_made_from_nothing_and_then_starts(tmp_path: Path) -> None:
    home = tmp_path / "gateway"
    code, printed, said = run("init", "--home", str(home), "--operator", "oja", "--title-en", "Office")
    assert (code, "public.json" in said) == (0, True)
    member = Member.model_validate_json(printed)
    assert {key.purpose for key in member.keys} == set(PURPOSES)
    assert GatewayHome(home).public.read_text() == member.model_dump_json(indent=2)
    GatewayHome(home).pin(Federation(gateway="http://127.0.0.1:8000", operator="oja", members=(member,)))
    assert create_app(load_settings(home)).title == "Saphan gateway"


def test_making_a_gateway_again_keeps_its_keys(tmp_path: Path) -> None:
    home = tmp_path / "gateway"
    run("init", "--home", str(home), "--operator", "oja")
    key = home / "keys" / key_file_name("oja#token-1")
    before = key.read_bytes()
    assert run("init", "--home", str(home), "--operator", "oja")[0] == 0
    assert key.read_bytes() == before


def test_migrating_brings_the_schema_up_to_date(tmp_path: Path) -> None:
    assert run("migrate", "--home", str(tmp_path))[0] == 0
    check(f"sqlite:///{tmp_path / 'gateway.db'}")


def test_a_start_without_a_home_says_what_is_missing(tmp_path: Path) -> None:
    code, printed, said = run("serve", "--home", str(tmp_path))
    assert (code, printed) == (2, "")
    assert "federation.json" in said
    assert run("serve", "--home", str(tmp_path), "--port", "70000")[0] == 2
