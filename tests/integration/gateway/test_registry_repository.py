"""The registry in the gateway's database: what it takes in, what it signs, and that all processes serve the same."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from contracts.canonical import canonical_bytes
from contracts.errors import SaphanError
from contracts.registry import CHARTER_PATH, RegistryBatch, RegistryUpdate, contract_path, member_path
from contracts.transparency import EventKind, LogEntry
from gateway.registry.repository import Repository
from gateway.store import log
from gateway.store.engine import Store, Transaction
from tests.factories import NOW
from tests.registry_world import MEMBERS, Signers, first_batch, home_with, member_update, update_of
from trust.reader import read
from trust.roles import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, Officers, Seal, make_targets, version_of

pytestmark = pytest.mark.integration


@dataclass
class Place:
    """A gateway's registry and everybody's keys."""

    store: Store
    signers: Signers
    root: bytes

    def repository(self, *without: str) -> Repository:
        """The registry; ``without`` names keys that the gateway does not hold."""
        held = {"oja#registry-1", "oja#registry-2"} - set(without)
        return Repository(self.store, self.root, lambda kid: self.signers.key(kid) if kid in held else None)

    def take(self, *updates: RegistryUpdate, at: datetime = NOW) -> tuple[str, ...]:
        return self.repository().take(RegistryBatch(updates=updates), at)

    def refusal(self, *updates: RegistryUpdate, at: datetime = NOW) -> SaphanError:
        """What it says, and that nothing changed."""
        before = self.repository().version()
        with pytest.raises(SaphanError) as caught:
            self.take(*updates, at=at)
        assert self.repository().version() == before
        return caught.value

    def why(self, *updates: RegistryUpdate, at: datetime = NOW) -> str:
        error = self.refusal(*updates, at=at)
        assert error.code == "registry-update-refused"
        return error.details["why"]

    def charter(self, version: int, *agencies: str, registrars: tuple[str, ...] = ()) -> RegistryUpdate:
        listed = agencies or MEMBERS
        document = self.signers.targets(version, agencies=listed, registrars=registrars)
        return update_of(TARGETS, document, **{CHARTER_PATH: self.signers.charter(*listed)})


@pytest.fixture
def empty(store_url: str) -> Iterator[Place]:
    signers = Signers()
    store = Store(store_url)
    yield Place(store, signers, first_batch(signers).updates[0].metadata.encode())
    store.close()


@pytest.fixture
def place(store_url: str) -> Iterator[Place]:
    signers = Signers()
    batch = first_batch(signers)
    made = Place(Store(store_url), signers, batch.updates[0].metadata.encode())
    made.repository().take(batch, NOW)
    yield made
    made.store.close()


ONE_DATABASE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def test_what_it_took_in_is_what_a_member_reads(place: Place, tmp_path: Path) -> None:
    home = home_with(tmp_path, place.root)
    registry = read(home, place.repository().get, NOW)
    assert [each.agency for each in registry.federation.members] == list(MEMBERS)
    new = place.signers.member("rtp", *place.signers.member("rtp").keys, place.signers.public("rtp#client-2"))
    assert place.take(member_update(place.signers, new, 2)) == ("rtp",)
    assert read(home, place.repository().get, NOW).federation.member("rtp") == new


def test_each_change_stands_in_the_log_with_who_signed_it(place: Place) -> None:
    with place.store.read() as r:
        entries = [LogEntry.model_validate_json(each) for each in log.entries(r, 0, log.head(r).size)]
    assert {each.kind for each in entries} == {EventKind.REGISTRY_CHANGED}
    assert [(each.subject, each.agency, each.facts["signed_by"]) for each in entries] == [
        ("root/1", None, "ccib#root-1,rtp#root-1"),
        ("targets/1", None, "ccib#root-1,rtp#root-1"),
        ("oja/1", "oja", "oja#registrar-1"),
        ("ccib/1", "ccib", "ccib#registrar-1"),
        ("rtp/1", "rtp", "rtp#registrar-1"),
    ]


def test_the_gateways_word_is_renewed_each_hour_and_the_snapshot_each_day(place: Place) -> None:
    repository = place.repository()
    version = repository.version()
    snapshot = repository.next_version(SNAPSHOT)
    assert not repository.renew(NOW + timedelta(minutes=59))
    assert repository.renew(NOW + timedelta(hours=1))
    assert (repository.version() > version, repository.next_version(SNAPSHOT)) == (True, snapshot)
    assert not repository.renew(NOW + timedelta(hours=1))
    assert repository.renew(NOW + timedelta(days=1))
    assert repository.next_version(SNAPSHOT) > snapshot


def test_after_an_outage_of_more_than_two_days_it_is_fresh_again(place: Place, tmp_path: Path) -> None:
    home = home_with(tmp_path, place.root)
    read(home, place.repository().get, NOW)
    late = NOW + timedelta(days=3)
    assert place.repository().renew(late)
    assert read(home, place.repository().get, late).good_until == late + timedelta(hours=48)


def test_processes_that_renew_at_once_sign_once(place: Place, tmp_path: Path) -> None:
    late = NOW + timedelta(hours=2)
    before = place.repository().version()
    threads = [threading.Thread(target=place.repository().renew, args=(late,)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert place.repository().version() == max(before + 1, int(late.timestamp()))
    assert read(home_with(tmp_path, place.root), place.repository().get, late).version == place.repository().version()


def test_a_database_from_a_backup_soon_overtakes_what_was_served(place: Place) -> None:
    repository = place.repository()
    served = repository.version()
    repository.renew(NOW + timedelta(hours=1))
    # Versions are seconds: what a restored database signs next is higher than anything that it has forgotten.
    assert repository.version() - served == int(timedelta(hours=1).total_seconds())


@ONE_DATABASE
def test_old_snapshots_are_forgotten_once_nobody_can_ask_for_them(place: Place) -> None:
    repository = place.repository()
    first = repository.next_version(SNAPSHOT) - 1
    for day in range(1, 9):
        assert repository.renew(NOW + timedelta(days=day))
    assert repository.document(f"{first}.snapshot.json") is None
    assert repository.document(f"{repository.next_version(SNAPSHOT) - 1}.snapshot.json") is not None


@ONE_DATABASE
def test_an_empty_registry_waits_for_its_officers(empty: Place) -> None:
    assert not empty.repository().renew(NOW)
    assert empty.repository().version() == 0
    assert empty.why(empty.charter(1)) == "there is no root yet"
    assert empty.repository().document("timestamp.json") is None


@ONE_DATABASE
def test_it_begins_with_the_root_that_is_pinned_and_no_other(empty: Place) -> None:
    other = first_batch(Signers())
    assert empty.why(*other.updates) == "it is not the root that is pinned here"


@ONE_DATABASE
def test_what_was_taken_in_before_is_no_mistake(place: Place) -> None:
    before = place.repository().version()
    assert place.take(member_update(place.signers, place.signers.member("ccib"), 2)) == ("ccib",)
    assert place.take(update_of("ccib", place.repository().document("2.ccib.json") or b"")) == ()
    assert place.repository().version() > before


class CountingStore(Store):
    """A store that counts its write transactions."""

    writes = 0

    @override
    def transaction(self) -> Transaction:
        self.writes += 1
        return super().transaction()


@ONE_DATABASE
def test_a_batch_of_what_is_public_already_opens_no_write_transaction(place: Place, store_url: str) -> None:
    store = CountingStore(store_url)
    repository = replace(place.repository(), store=store)
    served = [update_of(role, repository.document(f"1.{role}.json") or b"") for role in (ROOT, TARGETS, *MEMBERS)]
    assert repository.take(RegistryBatch(updates=tuple(served)), NOW) == ()
    assert store.writes == 0
    new = place.signers.member("rtp", *place.signers.member("rtp").keys, place.signers.public("rtp#client-2"))
    assert repository.take(RegistryBatch(updates=(member_update(place.signers, new, 2),)), NOW) == ("rtp",)
    assert store.writes == 1
    store.close()


@ONE_DATABASE
def test_a_batch_that_nobody_signed_opens_no_write_transaction(place: Place, store_url: str) -> None:
    store = CountingStore(store_url)
    forged = member_update(place.signers, place.signers.member("rtp"), 2, by="ccib#registrar-1")
    with pytest.raises(SaphanError):
        replace(place.repository(), store=store).take(RegistryBatch(updates=(forged,)), NOW)
    assert store.writes == 0
    store.close()


@ONE_DATABASE
def test_versions_follow_one_another(place: Place) -> None:
    member = place.signers.member("rtp")
    assert place.why(member_update(place.signers, member, 3)) == "version 2 is next"
    other = place.signers.member("rtp", *member.keys, place.signers.public("rtp#client-2"))
    assert place.why(member_update(place.signers, other, 1)) == "version 2 is next"
    assert place.why(place.charter(3)) == "version 2 is next"


@ONE_DATABASE
def test_a_root_is_signed_by_the_officers_of_before_and_by_its_own(place: Place) -> None:
    added = place.signers.public("oag#root-1")
    new = Officers((place.signers.officers().keys[0], added), 2, place.signers.officers().registry)
    own = place.signers.root(2, new, by=("ccib", "oag"))
    assert place.why(update_of(ROOT, own), place.charter(2)) == "1 of 2 signatures that count"
    old = place.signers.root(2, new, by=("ccib", "rtp"))
    assert place.why(update_of(ROOT, old), place.charter(2)) == "1 of 2 signatures that count"
    both = place.signers.root(2, new, by=("ccib", "rtp", "oag"))
    targets = place.signers.targets(2, by=("ccib", "oag"))
    charter = update_of(TARGETS, targets, **{CHARTER_PATH: place.signers.charter()})
    assert place.take(update_of(ROOT, both), charter) == (ROOT, TARGETS)


@ONE_DATABASE
def test_a_new_root_takes_a_charter_along_that_its_officers_signed(place: Place) -> None:
    new = Officers((*place.signers.officers().keys[1:],), 2, place.signers.officers().registry)
    root = place.signers.root(2, new, by=OFFICERS_BY)
    # The charter of before is signed by CCIB and RTP, of whom only one is an officer still.
    assert place.why(update_of(ROOT, root)) == "1 of 2 signatures that count"


OFFICERS_BY = ("ccib", "rtp", "dop")


@ONE_DATABASE
def test_a_root_whose_online_key_the_gateway_lacks_is_refused(place: Place) -> None:
    new = Officers(place.signers.officers().keys, 2, (place.signers.public("oja#registry-2"),))
    batch = RegistryBatch(updates=(update_of(ROOT, place.signers.root(2, new)),))
    with pytest.raises(SaphanError) as caught:
        place.repository("oja#registry-2").take(batch, NOW)
    assert caught.value.details["why"] == "this gateway holds no key of it"
    assert place.repository().take(batch, NOW) == (ROOT,)


@ONE_DATABASE
def test_an_agencys_role_is_taken_from_its_registrar_alone(place: Place) -> None:
    member = place.signers.member("rtp", *place.signers.member("rtp").keys, place.signers.public("rtp#client-2"))
    assert place.why(member_update(place.signers, member, 2, by="ccib#registrar-1")) == "0 of 1 signatures that count"
    assert place.why(member_update(place.signers, place.signers.member("dop"))) == (
        "the officers have delegated it to nobody"
    )


@ONE_DATABASE
def test_snapshot_and_timestamp_are_the_gateways_own(place: Place) -> None:
    for role in (SNAPSHOT, TIMESTAMP):
        name = "timestamp.json" if role == TIMESTAMP else f"{place.repository().next_version(SNAPSHOT) - 1}.{role}.json"
        served = place.repository().document(name) or b""
        assert place.take(update_of(role, served)) == ()
        assert place.why(update_of(role, served + b"\n")) == "this role is the gateway's own"


@ONE_DATABASE
def test_a_role_that_has_expired_is_not_taken(place: Place) -> None:
    document = place.signers.agency(place.signers.member("rtp"), 2, life=timedelta(days=1))
    body = {member_path("rtp"): canonical_bytes(place.signers.member("rtp"))}
    late = NOW + timedelta(days=1)
    assert place.why(update_of("rtp", document, **body), at=late) == "it has expired"


@ONE_DATABASE
def test_targets_come_with_the_role_that_lists_them(place: Place) -> None:
    path = contract_path("rtp", f"sha-256:{'a' * 64}")
    document = place.signers.agency(place.signers.member("rtp"), 2, more={path: b"signed"})
    own = {member_path("rtp"): canonical_bytes(place.signers.member("rtp"))}
    assert place.why(update_of("rtp", document, **own)) == f"without the target {path}"
    assert place.why(update_of("rtp", document, **own, **{path: b"other"})) == f"another target than listed: {path}"
    extra = {path: b"signed", "contracts/rtp/more": b"x"}
    assert place.why(update_of("rtp", document, **own, **extra)) == "a target that it does not list"
    assert place.take(update_of("rtp", document, **{path: b"signed"})) == ("rtp",)  # the keys are there already


@ONE_DATABASE
def test_a_batch_holds_no_two_versions_of_one_role(place: Place) -> None:
    member = place.signers.member("rtp")
    pair = (member_update(place.signers, member, 2), member_update(place.signers, member, 3))
    assert place.why(*pair) == "two versions in one batch"


@ONE_DATABASE
@pytest.mark.parametrize(
    ("kids", "rule"),
    [
        (("rtp#client-1", "rtp#officer-1", "ccib#client-9"), "own-keys"),
        (("rtp#client-1", "rtp#officer-1", "rtp#gateway-1"), "key-purpose"),
        (("rtp#client-1",), "keys-stay-listed"),
    ],
)
def test_what_no_reader_would_accept_is_not_taken(place: Place, kids: tuple[str, ...], rule: str) -> None:
    member = place.signers.member("rtp", *(place.signers.public(kid) for kid in kids))
    error = place.refusal(member_update(place.signers, member, 2))
    assert (error.code, error.details["rule"]) == ("registry-content", rule)


@ONE_DATABASE
def test_a_keys_end_is_put_off_before_it_has_passed_and_never_after(place: Place) -> None:
    kept, hour = place.signers.public("rtp#officer-1"), timedelta(hours=1)

    def ending(after: timedelta, version: int) -> RegistryUpdate:
        client = place.signers.public("rtp#client-1", valid_until=NOW + after)
        return member_update(place.signers, place.signers.member("rtp", client, kept), version)

    assert place.take(ending(hour, 2)) == ("rtp",)
    assert place.take(ending(2 * hour, 3), at=NOW + hour - timedelta(seconds=1)) == ("rtp",)
    error = place.refusal(ending(3 * hour, 4), at=NOW + 2 * hour)
    assert (error.code, error.details["rule"]) == ("registry-content", "ended-for-good")
    # To say again what is over, or that it was over earlier, brings nothing back.
    assert place.take(ending(2 * hour, 4), at=NOW + 3 * hour) == ("rtp",)
    assert place.take(ending(hour, 5), at=NOW + 3 * hour) == ("rtp",)


@ONE_DATABASE
def test_one_key_is_not_registered_by_two_members(place: Place) -> None:
    place.signers.private["rtp#client-9"] = replace(place.signers.key("ccib#client-1"), kid="rtp#client-9")
    member = place.signers.member("rtp", *place.signers.member("rtp").keys, place.signers.public("rtp#client-9"))
    assert place.refusal(member_update(place.signers, member, 2)).details["rule"] == "each-key-once"


@ONE_DATABASE
def test_a_new_registrars_key_comes_with_what_it_signed_anew(place: Place, tmp_path: Path) -> None:
    charter = place.charter(2, registrars=("rtp#registrar-2",))
    # Without the role that it signs, everybody would be left with keys that do not verify.
    assert place.why(charter) == "0 of 1 signatures that count"
    signed = member_update(place.signers, place.signers.member("rtp"), 2, by="rtp#registrar-2")
    assert place.take(charter, signed) == (TARGETS, "rtp")
    assert read(home_with(tmp_path, place.root), place.repository().get, NOW).federation.member("rtp") is not None
    # The one that was lost, or stolen, signs nothing more.
    assert place.why(member_update(place.signers, place.signers.member("rtp"), 3)) == "0 of 1 signatures that count"


@ONE_DATABASE
def test_a_member_leaves_by_the_officers_word_and_its_keys_with_it(place: Place, tmp_path: Path) -> None:
    home = home_with(tmp_path, place.root)
    read(home, place.repository().get, NOW)
    assert place.take(place.charter(2, "oja", "ccib")) == (TARGETS,)
    assert read(home, place.repository().get, NOW).federation.member("rtp") is None


@ONE_DATABASE
def test_a_charter_that_names_others_than_its_roles_is_not_taken(place: Place) -> None:
    other = place.signers.charter("oja", "ccib")
    document = place.signers.targets(2)
    assert (
        place.why(update_of(TARGETS, document, **{CHARTER_PATH: other}))
        == f"another target than listed: {CHARTER_PATH}"
    )


@ONE_DATABASE
def test_a_charter_over_other_members_than_its_roles_is_not_taken(place: Place) -> None:
    charter = place.signers.charter("oja", "ccib")
    keys = {agency: [place.signers.public(f"{agency}#registrar-1")] for agency in MEMBERS}
    made = make_targets(charter, keys, Seal(2, NOW + timedelta(days=9)))
    document = place.signers.signed(made, "ccib#root-1", "rtp#root-1")
    error = place.refusal(update_of(TARGETS, document, **{CHARTER_PATH: charter}))
    assert error.details["rule"] == "charter-fits-roles"


@ONE_DATABASE
def test_nothing_else_is_served(place: Place) -> None:
    repository = place.repository()
    for name in ("root.json", "x.root.json", "1.json", "../1.root.json", f"{'9' * 30}.root.json", "٣.root.json"):
        assert repository.document(name) is None
    assert repository.document("1.root.json") == place.root
    assert version_of(repository.document("timestamp.json") or b"") == repository.version()
    assert repository.target("members/rtp.json") is None
