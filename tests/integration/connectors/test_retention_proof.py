"""A connector can prove later what it deleted, also when it was killed before it could sign."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.home import Home
from connectors.journal.retention_tables import RetentionBook
from connectors.retention import IMPORTS, certificates, proof_of, retain
from contracts.federation import KeyPurpose, PublicKey
from contracts.keys import SigningKey, new_key
from contracts.merkle import leaf_hash, root_of
from contracts.retention import IssuedCertificate
from tests.connector_world import Killed
from tests.factories import NOW

pytestmark = pytest.mark.integration

KEY = new_key("ccib#connector-1")


class DyingKey:
    """A key that is asked for and never comes: the program ends there."""

    kid = KEY.kid

    def sign(self, data: bytes) -> bytes:
        """Where the program ends."""
        raise Killed

    def public_key(self, purpose: KeyPurpose, valid_from: datetime, valid_until: datetime) -> PublicKey:
        """Nobody asks for it."""
        raise Killed


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def put(home: Home, name: str, text: str, days: int = 40) -> Path:
    folder = home.path / IMPORTS
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    at = (NOW - timedelta(days=days)).timestamp()
    os.utime(folder / name, (at, at))
    return folder / name


def killed(home: Home) -> None:
    dying: SigningKey = DyingKey()
    with pytest.raises(Killed):
        retain(home, [], dying, NOW)


def check_roots(home: Home, issued: IssuedCertificate) -> list[str]:
    """Every root computed again from the kept leaves; all leaves."""
    proof = proof_of(home, issued.certificate.id)
    assert proof is not None
    assert proof.issued == issued
    for outcome, deleted in zip(issued.certificate.outcomes, proof.deleted, strict=True):
        assert (outcome.rule, outcome.count) == (deleted.rule, len(deleted.digests))
        assert outcome.root == root_of([leaf_hash(each.encode()) for each in deleted.digests]).hex()
    return [digest for each in proof.deleted for digest in each.digests]


def test_the_leaves_are_kept_beside_the_certificate(home: Home) -> None:
    put(home, "a.csv", "one")
    put(home, "b.csv", "two")
    issued = retain(home, [], KEY, NOW)
    assert len(check_roots(home, issued)) == 2
    assert proof_of(home, "run-of-nobody") is None


def test_what_was_deleted_before_a_crash_is_certified_by_the_next_run(home: Home) -> None:
    file = put(home, "a.csv", "one")
    killed(home)
    assert not file.exists()
    assert certificates(home) == ()

    later = retain(home, [], KEY, NOW + timedelta(hours=1))

    newest, recovered = certificates(home)
    assert newest == later
    assert recovered.certificate.at == NOW
    assert len(check_roots(home, recovered)) == 1
    assert check_roots(home, later) == []
    retain(home, [], KEY, NOW + timedelta(hours=2))
    assert len(certificates(home)) == 3


def test_what_a_crash_left_behind_is_certified_by_the_run_that_deletes_it(home: Home) -> None:
    put(home, "a.csv", "same")
    put(home, "b.csv", "same")
    killed(home)
    put(home, "b.csv", "same")  # as if the run had ended between the two

    later = retain(home, [], KEY, NOW + timedelta(hours=1))

    recovered = certificates(home)[1]
    assert len(check_roots(home, recovered)) == len(check_roots(home, later)) == 1
    assert [each.left for each in recovered.certificate.outcomes] == [0, 1]


def test_a_dry_run_neither_intends_nor_certifies(home: Home) -> None:
    put(home, "a.csv", "one")
    killed(home)
    retain(home, [], KEY, datetime.now(UTC), dry_run=True)
    book = RetentionBook(home.journal)
    assert len(book.intents()) == 1
    book.close()
    assert certificates(home) == ()
