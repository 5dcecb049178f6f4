"""A person who objects is in no answer from the next refresh on; what is past its time is gone, with proof."""

import sqlite3
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from connectors import objections
from connectors.answer import answer
from connectors.home import Home
from connectors.journal.retention_tables import RetentionBook
from connectors.objections import Objection, person_hash
from connectors.retention import CERTIFICATE_KIND, IMPORTS, certificates, retain
from connectors.snapshot import Snapshot, SnapshotInfo, refresh
from connectors.snapshot_retention import prune
from connectors.sources import open_source
from contracts.canonical import digest_of
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput, SaphanError, Unavailable
from contracts.federation import KeyPurpose
from contracts.keys import new_key
from contracts.merkle import leaf_hash, root_of
from contracts.retention import IssuedCertificate, RetentionRule, RuleOutcome
from contracts.signing import verify_compact
from tests.connector_world import PRICE, SECRET, World, _fill, case, contract_of, contract_text
from tests.factories import NOW

pytestmark = pytest.mark.integration

CONTRACT = contract_of(contract_text())
ROWS = [
    ("a", "p1", "2025-10-05", "SHOP"),
    ("b", "p1", "2025-10-06", "LOAN"),
    ("c", "p2", "2025-11-07", "SHOP"),
    ("d", "p3", "2022-11-08", "SHOP"),
]
KEY = new_key("ccib#connector-1")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def refreshed(home: Home, contract: DatasetContract = CONTRACT, now: datetime = NOW) -> SnapshotInfo:
    database = home.path / "agency.db"
    if not database.exists():
        _fill(database, ROWS)
    return refresh(home.snapshot, open_source(f"sqlite:///{database}"), contract, SECRET, now)


def held(home: Home, table: str = "rows_tpo_complaint") -> list[tuple[object, ...]]:
    with duckdb.connect(str(home.snapshot), read_only=True) as connection:
        return connection.execute(f'SELECT * FROM "{table}" ORDER BY ALL').fetchall()  # noqa: S608  # our own name


def objection(key: str, section: str = "32", **changes: object) -> Objection:
    fields = {"dataset": CONTRACT.id, "person": person_hash(SECRET, CONTRACT, key), "section": section, "since": NOW}
    return Objection.model_validate(fields | changes)


def kept(days: int) -> DatasetContract:
    """The contract with a shorter retention."""
    return CONTRACT.model_copy(update={"retention_days": days})


def answered(home: Home, *gateway_says: SaphanError) -> World:
    """An agency in that home that answered one question; the gateway takes the part, or says something else."""
    question = case()
    world = World(home.path, question.keys, answers=list(gateway_says))
    world.approve()
    with suppress(SaphanError):
        answer(question.leased(), world.desk(), world.clock)
    return world


def outcome(issued: IssuedCertificate, rule: RetentionRule) -> RuleOutcome:
    return next(each for each in issued.certificate.outcomes if each.rule is rule)


# ---------------------------------------------------------------- objections and holds


def test_the_rows_of_who_objected_leave_the_answer_table_and_their_ranks_stay(home: Home) -> None:
    assert refreshed(home).kept_rows == 4
    ranks = held(home, "ranks_tpo_complaint")
    objections.add(home, objection("p1"))
    assert refreshed(home).kept_rows == 2
    assert held(home, "ranks_tpo_complaint") == ranks


def test_who_objects_before_their_first_row_comes_is_left_out_too(home: Home) -> None:
    objections.add(home, objection("p1"))
    assert refreshed(home).kept_rows == 2
    assert len(held(home, "ranks_tpo_complaint")) == 4


def test_a_hold_that_is_lifted_gives_the_same_ranks_back(home: Home) -> None:
    refreshed(home)
    before = held(home)
    objections.add(home, objection("p1", "34"))
    refreshed(home)
    assert objections.lift(home, objection("p1", "34"))
    assert not objections.lift(home, objection("p1", "34"))
    refreshed(home)
    assert held(home) == before


def test_lifting_a_hold_leaves_the_objection(home: Home) -> None:
    objections.add(home, objection("p1", "32"))
    objections.add(home, objection("p1", "34"))
    objections.lift(home, objection("p1", "34"))
    assert refreshed(home).kept_rows == 2


def test_the_list_holds_no_key_and_is_for_its_owner_alone(home: Home) -> None:
    objections.add(home, objection("1103700123456"))
    objections.add(home, objection("1103700123456"))
    path = home.path / objections.FILE
    assert "1103700123456" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(objections.read(path).objections) == 1


def test_a_list_that_cannot_be_read_stops_the_refresh(home: Home) -> None:
    refreshed(home)
    (home.path / objections.FILE).write_text("{")
    with pytest.raises(InvalidInput, match="setting-invalid"):
        refreshed(home)
    assert Snapshot(home.snapshot).info(CONTRACT.id).data_version == 1


def test_an_objection_counts_for_its_own_dataset(home: Home) -> None:
    objections.add(home, objection("p1", dataset="another"))
    assert refreshed(home).kept_rows == 4


def test_a_dataset_that_names_nobody_has_nobody_to_leave_out() -> None:
    unit = CONTRACT.unit.model_copy(update={"column": None})
    with pytest.raises(InvalidInput, match="no-person-key"):
        person_hash(SECRET, CONTRACT.model_copy(update={"unit": unit}), "p1")


# ---------------------------------------------------------------- rows past their retention


def test_rows_past_their_retention_do_not_come_into_an_answer(home: Home) -> None:
    assert refreshed(home, kept(1000)).kept_rows == 3
    assert len(held(home, "ranks_tpo_complaint")) == 4


def test_the_last_day_of_retention_still_counts(home: Home) -> None:
    age = (NOW.astimezone(UTC).date() - datetime(2022, 11, 8, tzinfo=UTC).date()).days
    assert refreshed(home, kept(age)).kept_rows == 4
    assert refreshed(home, kept(age - 1)).kept_rows == 3


def test_rows_that_grow_old_between_refreshes_are_deleted_and_certified(home: Home) -> None:
    refreshed(home)
    issued = retain(home, [kept(1000)], KEY, NOW)
    rows = outcome(issued, RetentionRule.SNAPSHOT_ROWS)
    assert (rows.count, rows.left) == (1, 0)
    assert rows.oldest == rows.newest == datetime(2022, 11, 8, tzinfo=UTC)
    assert len(held(home)) == 3
    info = Snapshot(home.snapshot).info(CONTRACT.id)
    assert (info.data_version, info.kept_rows) == (2, 3)
    assert len(held(home, "ranks_tpo_complaint")) == 4


def test_nothing_old_is_no_new_data_version(home: Home) -> None:
    refreshed(home)
    retain(home, [CONTRACT], KEY, NOW)
    assert Snapshot(home.snapshot).info(CONTRACT.id).data_version == 1


def test_the_root_is_that_of_the_rows_that_were_deleted(home: Home) -> None:
    refreshed(home)
    told = prune(home.snapshot, kept(1), NOW, dry_run=True)
    assert len(held(home)) == 4
    assert told.left == 4
    issued = retain(home, [kept(1)], KEY, NOW)
    leaves = [leaf_hash(each.encode()) for each in told.digests]
    assert outcome(issued, RetentionRule.SNAPSHOT_ROWS).root == root_of(leaves).hex()


def test_a_home_without_a_snapshot_has_no_rows_to_delete(home: Home) -> None:
    assert outcome(retain(home, [CONTRACT], KEY, NOW), RetentionRule.SNAPSHOT_ROWS).count == 0
    refreshed(home)
    other = CONTRACT.model_copy(update={"id": "another"})
    assert outcome(retain(home, [other], KEY, NOW + timedelta(1)), RetentionRule.SNAPSHOT_ROWS).count == 0


# ---------------------------------------------------------------- parts, files, certificates


def test_a_settled_part_goes_after_thirty_days_and_its_charge_stays(home: Home) -> None:
    world = answered(home)
    (part,), spent = world.posted, world.journal.spending()
    assert outcome(retain(home, [], KEY, NOW + timedelta(days=29)), RetentionRule.JOURNAL_PARTS).count == 0
    issued = retain(home, [], KEY, NOW + timedelta(days=30))
    parts = outcome(issued, RetentionRule.JOURNAL_PARTS)
    assert (parts.count, parts.left) == (1, 0)
    assert parts.root == root_of([leaf_hash(digest_of(part).encode())]).hex()
    assert world.journal.spending() == spent
    assert spent[0].nano_rho == PRICE
    assert world.journal.departures()[0].part_digest == digest_of(part)
    connection = sqlite3.connect(home.journal)
    assert connection.execute("SELECT part FROM answer").fetchall() == [(None,)]
    connection.close()
    world.journal.close()


def test_a_part_that_still_waits_for_the_gateway_is_never_due(home: Home) -> None:
    world = answered(home, Unavailable("gateway-unreachable"))
    assert outcome(retain(home, [], KEY, NOW + timedelta(days=3650)), RetentionRule.JOURNAL_PARTS).count == 0
    assert len(world.journal.unfinished()) == 1
    world.journal.close()


def test_imported_files_go_after_thirty_days(home: Home) -> None:
    folder = home.path / IMPORTS
    folder.mkdir()
    (folder / "rows.csv").write_text("secret rows")
    assert outcome(retain(home, [], KEY, system_now()), RetentionRule.IMPORT_FILES).count == 0
    issued = retain(home, [], KEY, system_now() + timedelta(days=31))
    files = outcome(issued, RetentionRule.IMPORT_FILES)
    assert (files.count, files.left) == (1, 0)
    assert list(folder.iterdir()) == []


def test_a_dry_run_deletes_nothing_and_keeps_no_certificate(home: Home) -> None:
    refreshed(home)
    folder = home.path / IMPORTS
    folder.mkdir()
    (folder / "rows.csv").write_text("secret rows")
    told = retain(home, [kept(1000)], KEY, system_now() + timedelta(days=31), dry_run=True)
    assert told.certificate.dry_run
    assert [each.left for each in told.certificate.outcomes] == [1, 0, 0, 1]
    assert (folder / "rows.csv").exists()
    assert len(held(home)) == 4
    assert certificates(home) == ()


def test_certificates_are_signed_and_kept(home: Home) -> None:
    first, second = retain(home, [], KEY, NOW), retain(home, [], KEY, NOW + timedelta(days=1))
    assert certificates(home) == (second, first)
    public = KEY.public_key(KeyPurpose.CONNECTOR, NOW - timedelta(days=1), NOW + timedelta(days=9))
    signed = verify_compact(first.document, CERTIFICATE_KIND, lambda kid: public if kid == KEY.kid else None)
    assert digest_of(first.certificate) == first.digest
    assert signed.signers == {KEY.kid}
    assert home.journal.stat().st_mode & 0o777 == 0o600
    RetentionBook(home.journal).close()


def system_now() -> datetime:
    return datetime.now(UTC)
