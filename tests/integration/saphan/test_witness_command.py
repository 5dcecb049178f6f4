"""``saphan connector witness``: what the connector saw of the log, and what its agency does about a contradiction."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connectors.journal import witness as kept
from connectors.journal.book import Journal
from contracts.keys import new_key
from saphan.connector_commands import app
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
    assert json.loads(run(home).stdout) == {"works": True, "seen": None, "evidence": []}


def test_what_was_seen_is_shown(home: Path, journal: Journal) -> None:
    kept.see(journal, 5, SEEN, NOW)
    kept.handed_in(journal)

    seen = json.loads(run(home).stdout)["seen"]

    assert (seen["origin"], seen["size"], seen["handed_in"], seen["document"]) == ("gateway.example", 5, True, SEEN)


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
