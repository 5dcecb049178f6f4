"""A release in a file is checked by the home's keys alone: nobody is asked, and nothing altered passes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from contracts.errors import IntegrityError, InvalidInput, SaphanError, Unavailable
from contracts.registry import TIMESTAMP_LIFE
from contracts.release import Release
from gateway.asking import query_of
from saphan.release_checking import verified
from tests import factories
from tests.api_world import running
from tests.factories import NOW
from tests.gateway_world import AGREEMENT
from tests.registry_world import home_with, registry_of

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Kept:
    """What a requester keeps: a home with keys, and a release in it."""

    home: Path
    release: Release
    keys: factories.Keys

    def file(self, **changes: object) -> Path:
        """The release in a file, perhaps changed."""
        path = self.home / "release.json"
        path.write_text(self.release.model_copy(update=changes).model_dump_json(by_alias=True))
        return path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")
    query = query_of(("count",), ("month",), ("2025-10-01", "2026-01-01"), {})
    with running(folder / "gateway") as world:
        gateway = world.gateway()
        request = gateway.request(gateway.question(AGREEMENT.id, factories.ACTIVITY, query, nano_rho=10_000_000))
        gateway.submit(request)
        world.answer()
        release = gateway.wait(request.id, 1).release
        (folder / "federation.json").write_text(world.keys.federation.model_dump_json())
    return Kept(folder, release, world.keys)


def refusal(home: Path, file: Path) -> SaphanError:
    with pytest.raises(SaphanError) as raised:
        verified(home, file, NOW)
    return raised.value


def test_a_release_is_verified_without_the_gateway(kept: Kept) -> None:
    found = verified(kept.home, kept.file(), NOW)
    assert (found.release, found.digest) == (kept.release.body.id, kept.release.digest)


def test_an_altered_release_is_found_out(kept: Kept) -> None:
    body = kept.release.body.model_copy(update={"agreement": "AGR-2569-002"})
    error = refusal(kept.home, kept.file(body=body))
    assert (error.code, type(error)) == ("release-altered", IntegrityError)


def test_a_release_without_its_place_in_the_log_is_not_enough(kept: Kept) -> None:
    assert refusal(kept.home, kept.file(receipt=None)).code == "receipt-missing"


def test_who_stands_by_its_checkpoint_is_shown_and_may_be_asked_for(kept: Kept) -> None:
    assert verified(kept.home, kept.file(), NOW).witnesses == ()
    with pytest.raises(IntegrityError) as raised:
        verified(kept.home, kept.file(), NOW, quorum=1)
    assert raised.value.code == "log-quorum-missing"


def test_what_is_no_release_is_told_without_its_path(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    wrong = {"other.json": "malformed-body", "none.json": "file-unreadable"}
    for file, code in ((tmp_path / name, code) for name, code in wrong.items()):
        error = refusal(kept.home, file)
        assert (error.code, type(error)) == (code, InvalidInput)
        assert str(tmp_path) not in error.problem().model_dump_json()


def test_a_home_that_knows_no_keys_verifies_nothing(kept: Kept, tmp_path: Path) -> None:
    assert refusal(tmp_path, kept.file()).code == "members-unknown"


def home_of_registry(kept: Kept, folder: Path, looked: datetime) -> Path:
    """A home that pins a root and looked at the registry then, and never since."""
    registry = registry_of(kept.keys, NOW)
    registry.seal(looked)
    home = home_with(folder, registry.served["metadata/1.root.json"])
    registry.read(home, looked)
    return home


def test_a_home_that_looked_three_days_ago_still_verifies_what_is_older(kept: Kept, tmp_path: Path) -> None:
    created = kept.release.body.created
    home = home_of_registry(kept, tmp_path, created)

    found = verified(home, kept.file(), created + timedelta(days=3))

    assert (found.digest, found.keys_known_until) == (kept.release.digest, created + TIMESTAMP_LIFE)


def test_a_home_verifies_nothing_that_is_younger_than_what_it_knows(kept: Kept, tmp_path: Path) -> None:
    created = kept.release.body.created
    home = home_of_registry(kept, tmp_path, created - timedelta(days=3))

    with pytest.raises(Unavailable) as raised:
        verified(home, kept.file(), created + timedelta(hours=1))

    assert raised.value.code == "registry-expired"


def test_a_registry_that_was_never_read_verifies_nothing(kept: Kept, tmp_path: Path) -> None:
    home = home_of_registry(kept, tmp_path, NOW)
    (home / "registry" / "metadata" / "timestamp.json").unlink()

    assert refusal(home, kept.file()).code == "registry-incomplete"
