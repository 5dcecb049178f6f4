"""Versions of a contract on the agency's own list: as far above the last as they must be, retired for good."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from connectors import enrol
from connectors.answer import answer
from connectors.home import Home
from connectors.journal.book import Journal
from connectors.settings import ConnectorSettings, load_settings
from contracts.canonical import canonical_bytes, digest_of
from contracts.contract_diff import Version
from contracts.dataset import Text
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose, Member, PublicKey
from contracts.retirement import ContractRetirement
from contracts.signing import verify_document
from tests import factories
from tests.connector_world import PRICE, World, case, contract_of, contract_text
from tests.contract_texts import breaking, tighter, version, weaker
from tests.factories import NOW

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Agency:
    """The Department of Probation's home, journal and settings."""

    home: Home
    journal: Journal
    settings: ConnectorSettings

    def file(self, each: Version) -> Path:
        """A version as a file outside the home."""
        path = self.home.path.parent / f"{each.contract.version}-{each.contract.digest[-8:]}.yaml"
        path.write_text(yaml.safe_dump(dict(each.document), allow_unicode=True), encoding="utf-8")
        return path

    def approve(self, each: Version) -> None:
        """Put a version on the list."""
        enrol.approve(self.home, self.journal, self.settings, str(self.file(each)), NOW)

    def retire(self, each: Version) -> str:
        """Take a version off the list."""
        digest = each.contract.digest
        _, document = enrol.retire(self.home, self.journal, "dop", digest, "replaced", NOW)
        return document.document

    @property
    def listed(self) -> list[str]:
        """The versions on the list."""
        return [each.contract.version for each in self.journal.approvals()]


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[Agency]:
    home = Home(tmp_path / "dop")
    title = Text(th="คป.", en="DOP")
    enrolment = enrol.Enrolment("dop", title, "http://gateway.example", "sqlite:///nowhere.db", ("dop_case",))
    enrol.make_home(home, enrolment, NOW)
    journal = Journal(home.journal)
    yield Agency(home, journal, load_settings(home=home.path))
    journal.close()


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (weaker("1.1.0"), "contract-weaker-than-version"),
        (breaking("1.1.0"), "contract-breaks-under-version"),
        (tighter("1.0.1"), "contract-version-too-low"),
        (version("0.9.0"), "contract-version-not-higher"),
    ],
    ids=["weaker", "breaking", "tighter", "lower"],
)
def test_a_version_that_rises_too_little_is_not_approved(agency: Agency, new: Version, code: str) -> None:
    agency.approve(version())

    with pytest.raises(Refused, match=code):
        agency.approve(new)
    assert agency.listed == ["1.0.0"]


def test_versions_that_rise_as_they_must_are_approved_side_by_side_and_again(agency: Agency) -> None:
    for each in (version(), tighter("1.1.0"), version("2.0.0"), version()):
        agency.approve(each)

    assert agency.listed == ["1.0.0", "1.1.0", "2.0.0"]


def test_a_version_is_approved_in_one_text(agency: Agency) -> None:
    agency.approve(version())

    with pytest.raises(InvalidInput, match="version-is-immutable"):
        agency.approve(weaker("1.0.0"))


def test_a_new_version_is_compared_with_the_highest_that_was_ever_approved(agency: Agency) -> None:
    agency.approve(version())
    agency.approve(tighter("1.1.0"))
    agency.retire(tighter("1.1.0"))

    with pytest.raises(Refused, match="contract-weaker-than-version"):
        agency.approve(version("1.2.0"))


def test_a_retired_contract_is_off_the_list_and_does_not_come_back(agency: Agency) -> None:
    agency.approve(version())
    agency.retire(version())

    assert agency.listed == []
    assert enrol.waiting(agency.home, agency.journal) == ()
    with pytest.raises(Refused, match="contract-retired"):
        agency.approve(version())
    assert agency.listed == []


def test_a_contract_that_was_approved_before_its_code_lists_changed_is_still_compared(agency: Agency) -> None:
    old = version()
    document = json.loads(canonical_bytes(old.document))
    pins = next(each for each in document["customProperties"] if each["property"] == "codeLists")["value"]
    pins["provinces"] = f"sha-256:{'0' * 64}"
    stale = old.contract.model_copy(update={"digest": digest_of(document)})
    agency.journal.approve(stale, canonical_bytes(document).decode(), "place", NOW)

    with pytest.raises(Refused, match="contract-breaks-under-version"):
        agency.approve(version("1.1.0"))
    assert agency.listed == ["1.0.0"]


def test_a_retirement_bears_the_signatures_of_steward_and_dpo(agency: Agency) -> None:
    agency.approve(version())
    document = agency.retire(version())
    member = Member.model_validate_json(agency.home.public.read_bytes())
    federation = factories.federation().federation.model_copy(update={"members": (member,)})

    def key(kid: str) -> PublicKey | None:
        return federation.key(kid, KeyPurpose(kid.partition("#")[2].partition("-")[0]), NOW)

    signed = verify_document(document, "contract-retirement", key)
    retirement = ContractRetirement.model_validate_json(signed.payload)
    assert signed.signers == {"dop#steward-1", "dop#dpo-1"}
    assert (retirement.reference, retirement.agency) == (version().contract.reference, "dop")
    assert (retirement.reason, retirement.at) == ("replaced", NOW)


def test_a_contract_is_retired_again_before_it_was_approved_and_after_its_file_is_gone(agency: Agency) -> None:
    agency.retire(version())
    agency.approve(version())
    (agency.home.contracts / "dop_case.odcs.yaml").unlink()

    agency.retire(version())

    assert agency.listed == []
    with pytest.raises(InvalidInput, match="unknown-contract"):
        agency.retire(version("9.0.0"))


def test_a_new_versions_file_takes_the_place_of_the_old_one_which_is_kept(agency: Agency) -> None:
    new = agency.file(weaker("2.0.0"))
    place = agency.home.contracts / "dop_case.odcs.yaml"
    old = place.read_bytes()

    enrol.keep(agency.home, new)
    enrol.keep(agency.home, place)

    assert place.read_bytes() == new.read_bytes()
    assert (agency.home.contracts / "earlier" / "dop_case-1.0.0.odcs.yaml").read_bytes() == old
    assert agency.retire(version())


# ---------------------------------------------------------------- the budget at the connector
@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, factories.federation())
    yield world
    world.journal.close()


def test_no_version_retirement_or_approval_raises_the_budget_or_gives_back_what_was_spent(world: World) -> None:
    small = contract_text("connector", PRICE).replace("version: 1.0.0", "version: 0.9.0")
    world.approve(small)
    world.approve()
    first, second = case(), case(id="REQ-0002")

    answer(first.leased(), world.desk(), world.clock)
    world.journal.retire(contract_of(small).digest, NOW)
    answer(second.leased(), world.desk(), world.clock)

    assert [each.refusal for each in world.posted] == [None, "local-cap-exceeded"]
    assert world.spent == PRICE


def test_a_journal_from_before_learns_the_least_budget_from_what_it_approved(world: World) -> None:
    world.approve(contract_text("connector", PRICE).replace("version: 1.0.0", "version: 0.9.0"))
    with closing(sqlite3.connect(world.folder / "journal.db")) as database, database:
        database.execute("DELETE FROM least_budget")
    world.approve()

    answer(case().leased(), world.desk(), world.clock)
    answer(case(id="REQ-0002").leased(), world.desk(), world.clock)

    assert [each.refusal for each in world.posted] == [None, "local-cap-exceeded"]
