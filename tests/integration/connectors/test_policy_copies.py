"""Each agency decides by its own copy of the policies; the digest of that copy stands with every answer and refusal."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.guard import Guard
from connectors.home import Home
from connectors.journal.book import Journal
from contracts.errors import IntegrityError, Refused
from policies.rules import EXCHANGE, FILES, Rules, digest, installed, installed_texts, rules_of
from saphan.connector_commands import app
from tests import factories
from tests.connector_world import World, case
from tests.factories import NOW

pytestmark = pytest.mark.integration

STRICT = '@id("agency-suspended")\nforbid (principal, action, resource);\n'
NO_DIGEST = f"sha-256:{'0' * 64}"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "ccib")
    home.make()
    return home


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, factories.federation())
    world.approve()
    yield world
    world.journal.close()


def own_rules() -> Rules:
    """Rules that refuse everything, unlike the gateway's."""
    texts = installed_texts()
    return rules_of(texts | {EXCHANGE: texts[EXCHANGE] + STRICT})


def guard_with(world: World, rules: Rules) -> Guard:
    return replace(world.guard(), rules=rules)


def test_a_home_without_a_copy_decides_by_what_came_with_the_program(home: Home) -> None:
    assert home.rules().digest == installed().digest


def test_a_pinned_copy_is_what_decides(home: Home) -> None:
    texts = installed_texts()
    stricter = texts | {EXCHANGE: texts[EXCHANGE] + STRICT}
    home.pin_policies(stricter)

    assert home.rules().digest == digest(stricter) != installed().digest
    assert {path.name for path in home.policies.iterdir()} == {*FILES}
    assert {path.stat().st_mode & 0o777 for path in home.policies.iterdir()} == {0o600}


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_copy_decides_nothing(home: Home, name: str) -> None:
    home.pin_policies(installed_texts())
    (home.policies / name).unlink()
    with pytest.raises(IntegrityError, match="policies-altered"):
        home.rules()
    (home.policies / name).write_bytes(b"\xff\xfe")
    with pytest.raises(IntegrityError, match="policies-altered"):
        home.rules()


def cut_short(home: Home) -> None:
    """What is left still parses, fits the schema and permits everything."""
    path = home.policies / EXCHANGE
    path.write_text(path.read_text(encoding="utf-8").split('@id("requester-not-party")')[0], encoding="utf-8")


def rename_folder(home: Home) -> None:
    home.policies.rename(home.path / "elsewhere")


def forget_digest(home: Home) -> None:
    home.policies_digest.unlink()


def garble_digest(home: Home) -> None:
    home.policies_digest.write_bytes(b"\xff\xfe")


@pytest.mark.parametrize("damage", [cut_short, rename_folder, forget_digest, garble_digest])
def test_a_copy_that_is_not_the_pinned_one_decides_nothing_until_it_is_pinned_again(
    home: Home, damage: Callable[[Home], None]
) -> None:
    home.pin_policies(installed_texts())
    damage(home)

    with pytest.raises(IntegrityError, match="policies-altered"):
        home.rules()
    command = ["policies", "--home", str(home.path)]
    shown = CliRunner().invoke(app, command)
    assert (shown.exit_code, "policies-altered" in shown.stderr) == (5, True)
    assert CliRunner().invoke(app, [*command, "--pin"]).exit_code == 0
    assert home.rules().digest == installed().digest


def test_an_agency_pins_its_own_stricter_copy_and_none_that_decides_nothing(home: Home) -> None:
    home.pin_policies(installed_texts())
    path = home.policies / EXCHANGE
    path.write_text(path.read_text(encoding="utf-8") + STRICT, encoding="utf-8")
    command = ["policies", "--home", str(home.path), "--pin-own"]

    assert CliRunner().invoke(app, command).exit_code == 0
    stricter = home.rules().digest
    assert stricter == own_rules().digest != installed().digest

    path.write_text("permit (", encoding="utf-8")
    broken = CliRunner().invoke(app, command)
    assert (broken.exit_code, "policy-error" in broken.stderr) == (3, True)
    with pytest.raises(IntegrityError, match="policies-altered"):
        home.rules()


def test_the_connector_refuses_by_its_own_copy_what_the_gateway_permitted(world: World) -> None:
    task = case().task()
    guard_with(world, installed()).check_task(task, NOW)

    with pytest.raises(Refused, match="agency-suspended"):
        guard_with(world, own_rules()).check_task(task, NOW)


def test_the_journal_says_by_which_policies_each_question_was_decided(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", policy=installed().digest)
    journal.refuse(case().task(), NO_DIGEST, "agency-suspended", NOW, undo=True)

    assert [each.policy for each in journal.departures()] == [installed().digest]
    journal.close()


def test_an_older_journal_gains_the_column_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    journal.refuse(case().task(), NO_DIGEST, "task-not-ours", NOW, undo=True)
    journal.close()
    with sqlite3.connect(path) as older:
        for table in ("answer", "refusal"):
            older.execute(f"alter table {table} drop column policy")

    journal = Journal(path, policy=installed().digest)
    journal.refuse(case().task(), NO_DIGEST, "agency-suspended", NOW, undo=True)

    assert {each.refusal: each.policy for each in journal.departures()} == {
        "task-not-ours": None,
        "agency-suspended": installed().digest,
    }
    journal.close()


def test_the_command_shows_the_copy_and_pins_the_installed_one(home: Home) -> None:
    def shown(*more: str) -> dict[str, object]:
        result = CliRunner().invoke(app, ["policies", "--home", str(home.path), "--json", *more])
        assert result.exit_code == 0, result.exception
        view: dict[str, object] = json.loads(result.stdout)
        return view

    own = installed().digest
    assert shown() == {"digest": own, "installed": own, "pinned": False}
    texts = installed_texts()
    home.pin_policies(texts | {EXCHANGE: texts[EXCHANGE] + STRICT})
    assert (shown()["digest"] == own, shown()["pinned"]) == (False, True)
    assert shown("--pin") == {"digest": own, "installed": own, "pinned": True}
    plain = CliRunner().invoke(app, ["policies", "--home", str(home.path)]).stdout
    assert plain == f"pinned  {own}  as installed\n"
