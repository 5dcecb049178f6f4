"""``saphan connector witness``: what the connector saw of the log, and what its agency does about a contradiction."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connectors.answer import answer
from connectors.journal import witness as kept
from connectors.journal.book import Journal
from contracts.keys import new_key
from saphan.connector_commands import app
from tests import factories
from tests.connector_world import World, case, contract_text
from tests.factories import NOW
from tests.fake_log import FakeLog, entries

pytestmark = pytest.mark.integration

KEY = new_key("oja#log-1")
SEEN, SHOWN = (FakeLog(KEY, entries(size)).document for size in (5, 3))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def journal(home: Path) -> Iterator[Journal]:
    made = Journal(home / "journal.db")
    yield made
    made.close()


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["witness", "--home", str(home), "--json", *arguments])


def test_a_connector_that_has_seen_nothing_works(home: Path, journal: Journal) -> None:
    assert json.loads(run(home).stdout) == {"works": True, "seen": None, "evidence": [], "stands_still": False}


def test_what_was_seen_is_shown(home: Path, journal: Journal) -> None:
    kept.see(journal, 5, SEEN, NOW)
    kept.handed_in(journal)

    seen = json.loads(run(home).stdout)["seen"]

    assert (seen["origin"], seen["size"], seen["handed_in"], seen["document"]) == ("gateway.example", 5, True, SEEN)


def test_a_connector_does_not_work_by_a_log_that_stands_still_and_says_so(home: Path, journal: Journal) -> None:
    kept.see(journal, 5, SEEN, NOW)
    asked_at = NOW + timedelta(minutes=5)
    world = World(home, factories.federation(), asked_at)
    world.approve(contract_text())
    asked = replace(case(created=asked_at), signed_at=asked_at, forwarded_at=asked_at)
    answer(asked.leased(now=asked_at), world.desk(), world.clock)
    world.journal.close()

    stopped = json.loads(run(home).stdout)
    kept.see(journal, 6, SEEN, NOW + timedelta(minutes=6))
    moved = json.loads(run(home).stdout)

    assert (stopped["works"], stopped["stands_still"]) == (False, True)
    assert (moved["works"], moved["stands_still"]) == (True, False)


def test_both_checkpoints_of_a_contradiction_are_shown_until_it_is_settled_and_after(
    home: Path, journal: Journal
) -> None:
    kept.see(journal, 5, SEEN, NOW)
    kept.keep_evidence(journal, "log-shrank", SEEN, SHOWN, NOW)

    view = json.loads(run(home).stdout)
    (found,) = view["evidence"]
    assert view["works"] is False
    assert (found["code"], found["seen"], found["shown"], found["settled_at"]) == ("log-shrank", SEEN, SHOWN, None)

    settled = json.loads(run(home, "--settle", "letter 12/2569").stdout)
    assert (settled["works"], settled["seen"]) == (True, None)
    assert settled["evidence"][0]["reason"] == "letter 12/2569"


def test_nothing_is_settled_without_a_reason(home: Path, journal: Journal) -> None:
    kept.keep_evidence(journal, "log-forked", SEEN, SHOWN, NOW)

    refused = run(home, "--settle", " ")

    assert refused.exit_code == 2
    assert kept.unsettled(journal) is not None
