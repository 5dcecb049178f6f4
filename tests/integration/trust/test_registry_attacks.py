"""Everything that a gateway, an agency or a thief could serve instead of the registry, and what a reader says to it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.canonical import canonical_bytes
from contracts.errors import IntegrityError, SaphanError, Unavailable
from contracts.registry import CHARTER_PATH, TIMESTAMP_LIFE, contract_path, member_path
from tests.factories import NOW
from tests.registry_world import MEMBERS, OFFICERS, LyingRepository, Signers, home_with, honest, in_order
from trust.reader import read, read_known
from trust.roles import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, Officers, Seal, make_agency, target

pytestmark = pytest.mark.integration


@pytest.fixture
def lying() -> LyingRepository:
    """A repository that is in order so far."""
    return in_order()


@pytest.fixture
def home(tmp_path: Path, lying: LyingRepository) -> Path:
    """A home that pins its root."""
    return home_with(tmp_path / "home", lying.documents[ROOT])


def refusal(lying: LyingRepository, home: Path, at: datetime = NOW) -> SaphanError:
    """What a reader says."""
    with pytest.raises(SaphanError) as caught:
        lying.read(home, at)
    return caught.value


def rule(error: SaphanError) -> str:
    """The rule of ours that was broken."""
    assert (error.code, type(error)) == ("registry-content", IntegrityError)
    return error.details["rule"]


def changed(lying: LyingRepository, document: bytes, change: Callable[[dict[str, Any]], None], *by: str) -> bytes:
    """A document with other contents, signed by these keys."""
    plain = json.loads(document)
    change(plain["signed"])
    plain["signatures"] = []
    return lying.signers.signed(json.dumps(plain).encode(), *by)


def both(role: str = "root") -> tuple[str, ...]:
    """Two officers."""
    return tuple(f"{agency}#{role}-1" for agency in OFFICERS[:2])


def test_an_honest_registry_is_read_with_everybodys_keys(lying: LyingRepository, home: Path) -> None:
    registry = lying.read(home)
    assert [member.agency for member in registry.federation.members] == list(MEMBERS)
    assert registry.federation.operator == "oja"
    assert registry.good_until == NOW + TIMESTAMP_LIFE
    assert read_known(home, NOW + timedelta(hours=47)).federation == registry.federation


def test_what_is_known_already_is_not_fetched_again(lying: LyingRepository, home: Path) -> None:
    lying.read(home)
    lying.fetched.clear()
    lying.read(home)
    assert lying.fetched == ["metadata/2.root.json", "metadata/timestamp.json"]


# ---------------------------------------------------------------- freeze
def test_a_frozen_registry_is_refused_after_two_days(lying: LyingRepository, home: Path) -> None:
    lying.read(home)
    lying.read(home, NOW + timedelta(hours=47, minutes=59))
    error = refusal(lying, home, at=NOW + timedelta(hours=48))
    assert (error.code, type(error)) == ("registry-expired", Unavailable)
    with pytest.raises(Unavailable, match="registry-expired"):
        read_known(home, NOW + timedelta(hours=48))


def test_fresh_timestamps_do_not_freeze_the_snapshot_for_longer_than_a_week(lying: LyingRepository, home: Path) -> None:
    lying.read(home)
    lying.seal_timestamp(NOW + timedelta(days=7))
    assert refusal(lying, home, at=NOW + timedelta(days=7)).code == "registry-expired"


@pytest.mark.parametrize("role", [ROOT, TARGETS])
def test_the_officers_have_to_sign_again_within_a_year(lying: LyingRepository, home: Path, role: str) -> None:
    late = NOW + timedelta(days=365)
    if role == TARGETS:
        signers = replace(lying.signers, now=late - timedelta(days=30))
        lying.put(ROOT, signers.root(2))
    lying.seal(late)
    assert refusal(lying, home, at=late).code == "registry-expired"


def test_an_agency_that_let_its_year_pass_loses_its_own_keys_and_nobody_elses(
    lying: LyingRepository, home: Path
) -> None:
    member = lying.signers.member("rtp")
    document = lying.signers.agency(member, 2, life=timedelta(days=1))
    lying.put("rtp", document, **{member_path("rtp"): canonical_bytes(member)})
    lying.seal()
    assert lying.read(home).good_until == NOW + timedelta(days=1)
    after = lying.read(home, NOW + timedelta(days=1))
    assert [each.agency for each in after.federation.members] == ["oja", "ccib"]
    assert after.good_until == NOW + TIMESTAMP_LIFE


# ---------------------------------------------------------------- rollback
def test_an_older_timestamp_is_refused(lying: LyingRepository, home: Path) -> None:
    before = lying.served["metadata/timestamp.json"]
    lying.seal()
    lying.read(home)
    lying.served["metadata/timestamp.json"] = before
    error = refusal(lying, home)
    assert (error.code, type(error)) == ("registry-rolled-back", IntegrityError)


def test_an_older_snapshot_under_a_newer_timestamp_is_refused(lying: LyingRepository, home: Path) -> None:
    before = lying.documents[SNAPSHOT]
    lying.seal()
    lying.read(home)
    lying.put(SNAPSHOT, before)
    lying.seal_timestamp()
    assert refusal(lying, home).code == "registry-rolled-back"


@pytest.mark.parametrize("role", [TARGETS, "rtp"])
def test_an_older_role_under_a_newer_snapshot_is_refused(lying: LyingRepository, home: Path, role: str) -> None:
    before = lying.documents[role]
    if role == TARGETS:
        lying.put(TARGETS, lying.signers.targets(2))
    else:
        lying.put_member(lying.signers.member("rtp"), 2)
    lying.seal()
    lying.read(home)
    lying.put(role, before)
    lying.seal()
    assert refusal(lying, home).code == "registry-rolled-back"


def test_a_role_that_is_left_out_of_a_newer_snapshot_is_refused(lying: LyingRepository, home: Path) -> None:
    lying.read(home)
    del lying.documents["rtp"]
    lying.seal()
    assert refusal(lying, home).code == "registry-forged"


def test_an_older_root_in_the_place_of_the_next_is_refused(lying: LyingRepository, home: Path) -> None:
    lying.served["metadata/2.root.json"] = lying.documents[ROOT]
    assert refusal(lying, home).code == "registry-rolled-back"


def test_a_root_that_was_seen_is_not_forgotten_when_it_is_served_no_more(lying: LyingRepository, home: Path) -> None:
    stolen = Officers(lying.signers.officers().keys, 2, (lying.signers.public("oja#registry-2"),))
    lying.put(ROOT, lying.signers.root(2, stolen))
    lying.seal(by="oja#registry-2")
    lying.read(home)
    del lying.served["metadata/2.root.json"]
    lying.seal(by="oja#registry-1")
    assert refusal(lying, home).code == "registry-forged"


# ---------------------------------------------------------------- mix and match
def test_a_role_of_another_time_than_the_snapshot_says_is_refused(lying: LyingRepository, home: Path) -> None:
    lying.put_member(lying.signers.member("rtp"), 2)
    lying.seal()
    other = lying.signers.agency(lying.signers.member("rtp", lying.signers.public("rtp#client-7")), 2)
    lying.served["metadata/2.rtp.json"] = other
    assert refusal(lying, home).code == "registry-forged"


def test_a_snapshot_other_than_the_timestamps_is_refused(lying: LyingRepository, home: Path) -> None:
    name = f"metadata/{json.loads(lying.documents[SNAPSHOT])['signed']['version']}.snapshot.json"
    other = honest(lying.signers)
    other.put_member(lying.signers.member("rtp"), 2)
    other.seal_snapshot(version=json.loads(lying.documents[SNAPSHOT])["signed"]["version"])
    lying.served[name] = other.documents[SNAPSHOT]
    assert refusal(lying, home).code == "registry-forged"


# ---------------------------------------------------------------- who signs
def test_a_timestamp_by_another_key_is_refused(lying: LyingRepository, home: Path) -> None:
    lying.seal(by="rtp#registrar-1")
    assert refusal(lying, home).code == "registry-forged"


@pytest.mark.parametrize("role", [ROOT, TARGETS])
def test_one_officer_is_not_enough(lying: LyingRepository, home: Path, role: str) -> None:
    if role == ROOT:
        lying.put(ROOT, lying.signers.root(2, by=("ccib",)))
    else:
        lying.put(TARGETS, lying.signers.targets(2, by=("ccib",)))
    lying.seal()
    assert refusal(lying, home).code == "registry-forged"


def test_one_officer_who_signs_thrice_is_still_one(lying: LyingRepository, home: Path) -> None:
    plain = json.loads(lying.signers.targets(2, by=("ccib",)))
    plain["signatures"] += [{**plain["signatures"][0], "keyid": f"{name}#root-1"} for name in ("rtp", "dop")]
    lying.documents[TARGETS] = lying.served["metadata/2.targets.json"] = json.dumps(plain).encode()
    lying.seal()
    assert refusal(lying, home).code == "registry-forged"


def test_one_signature_written_thrice_is_refused(lying: LyingRepository, home: Path) -> None:
    plain = json.loads(lying.signers.targets(2, by=("ccib",)))
    plain["signatures"] *= 3
    lying.served["metadata/2.targets.json"] = json.dumps(plain).encode()
    lying.seal()
    lying.served["metadata/1.targets.json"] = lying.served["metadata/2.targets.json"]
    assert refusal(lying, home).code == "registry-forged"


def test_one_key_under_two_names_does_not_count_twice(tmp_path: Path) -> None:
    signers = Signers()
    signers.private["rtp#root-1"] = replace(signers.key("ccib#root-1"), kid="rtp#root-1")
    lying = honest(signers)
    assert rule(refusal(lying, home_with(tmp_path, lying.documents[ROOT]))) == "each-key-once"


def test_two_keys_of_one_agency_are_not_two_officers(tmp_path: Path) -> None:
    signers = Signers()
    keys = tuple(signers.public(kid) for kid in ("ccib#root-1", "ccib#root-2", "rtp#root-1"))
    officers = Officers(keys, 2, (signers.public("oja#registry-1"),))
    lying = honest(signers)
    root = signers.signed(signers.root(1, officers, by=()), "ccib#root-1", "ccib#root-2")
    assert rule(refusal(lying, home_with(tmp_path, root))) == "one-officer-per-agency"


def test_a_root_that_one_officer_can_change_is_refused(tmp_path: Path) -> None:
    signers = Signers()
    lying = honest(signers)
    root = signers.root(1, signers.officers(threshold=1))
    assert rule(refusal(lying, home_with(tmp_path, root))) == "officers-of-two-agencies"


def test_the_next_root_keeps_to_our_rules_too(lying: LyingRepository, home: Path) -> None:
    lying.put(ROOT, lying.signers.root(2, lying.signers.officers(threshold=1)))
    assert rule(refusal(lying, home)) == "officers-of-two-agencies"
    # It stays refused: what was kept of it is checked again.
    assert rule(refusal(lying, home)) == "officers-of-two-agencies"


def test_the_charter_is_signed_by_all_the_officers_that_the_root_needs(lying: LyingRepository, home: Path) -> None:
    def weaker(root: dict[str, Any]) -> None:
        root["version"], root["roles"]["targets"]["threshold"] = 2, 1

    lying.put(ROOT, changed(lying, lying.documents[ROOT], weaker, *both()))
    assert rule(refusal(lying, home)) == "charter-by-the-officers"


def test_a_key_of_another_purpose_is_no_officers_key(tmp_path: Path) -> None:
    signers = Signers()
    by = ("ccib#root-1", "rtp#officer-1")
    officers = Officers(tuple(signers.public(kid) for kid in by), 2, (signers.public("oja#registry-1"),))
    lying = honest(signers)
    lying.put(TARGETS, signers.signed(signers.targets(by=()), *by))
    lying.seal()
    root = signers.signed(signers.root(1, officers, by=()), *by)
    assert rule(refusal(lying, home_with(tmp_path, root))) == "key-purpose"


def test_freshness_is_signed_by_the_operator_alone(lying: LyingRepository, home: Path) -> None:
    officers = Officers(lying.signers.officers().keys, 2, (lying.signers.public("rtp#registry-1"),))
    lying.put(ROOT, lying.signers.root(2, officers))
    lying.seal(by="rtp#registry-1")
    assert rule(refusal(lying, home)) == "operator-signs-freshness"


def test_a_key_that_waits_in_the_root_for_later_is_refused(lying: LyingRepository, home: Path) -> None:
    other = json.loads(
        lying.signers.root(1, Officers(lying.signers.officers().keys, 2, (lying.signers.public("oja#registry-9"),)))
    )["signed"]["keys"]["oja#registry-9"]

    def hide(root: dict[str, Any]) -> None:
        root["version"], root["keys"]["oja#registry-9"] = 2, other

    lying.put(ROOT, changed(lying, lying.documents[ROOT], hide, *both()))
    assert rule(refusal(lying, home)) == "no-key-for-later"


# ---------------------------------------------------------------- targets
def test_a_target_with_other_bytes_is_refused(lying: LyingRepository, home: Path) -> None:
    name = next(path for path in lying.served if path.endswith(".rtp.json") and path.startswith("targets/"))
    original = lying.served[name]
    lying.served[name] = original.replace(b"rtp#client-1", b"rtp#client-2")
    assert refusal(lying, home).code == "registry-forged"
    lying.served[name] = original[:-1]
    assert refusal(lying, home).code == "registry-forged"


def test_endless_data_is_cut_off(lying: LyingRepository, home: Path) -> None:
    sent = []

    def endless(path: str) -> Iterator[bytes]:
        if path != "metadata/timestamp.json":
            return lying.get(path)

        def chunks() -> Iterator[bytes]:
            while True:
                sent.append(1)
                yield b"x" * 4096

        return chunks()

    with pytest.raises(IntegrityError, match="registry-forged"):
        read(home, endless, NOW)
    assert len(sent) <= 5


def test_a_member_that_the_gateway_adds_by_itself_is_refused(lying: LyingRepository, home: Path) -> None:
    everyone = (*MEMBERS, "evil")
    targets = lying.signers.signed(lying.signers.targets(2, agencies=everyone, by=()), "oja#registry-1")
    lying.put(TARGETS, targets, **{CHARTER_PATH: lying.signers.charter(*everyone)})
    lying.seal()
    assert refusal(lying, home).code == "registry-forged"


def test_an_agency_signs_no_other_agencys_keys(lying: LyingRepository, home: Path) -> None:
    dop = lying.signers.member("ccib")
    more = {member_path("ccib"): canonical_bytes(dop)}
    document = lying.signers.agency(lying.signers.member("rtp"), 2, more=more)
    lying.put("rtp", document)
    lying.seal()
    assert rule(refusal(lying, home)) == "own-paths"


def test_an_agencys_role_is_signed_by_its_own_registrar(lying: LyingRepository, home: Path) -> None:
    lying.put_member(lying.signers.member("rtp"), 2, by="ccib#registrar-1")
    lying.seal()
    assert refusal(lying, home).code == "registry-forged"


def test_the_officers_give_no_agencys_role_to_another_agencys_registrar(lying: LyingRepository, home: Path) -> None:
    plain = json.loads(lying.signers.targets(2))

    def give(targets: dict[str, Any]) -> None:
        roles = targets["delegations"]["roles"]
        next(each for each in roles if each["name"] == "rtp")["keyids"] = ["ccib#registrar-1"]
        del targets["delegations"]["keys"]["rtp#registrar-1"]

    lying.put(TARGETS, changed(lying, json.dumps(plain).encode(), give, *both()))
    lying.put_member(lying.signers.member("rtp"), 2, by="ccib#registrar-1")
    lying.seal()
    assert rule(refusal(lying, home)) == "own-role"


def test_an_agency_hands_nothing_on(lying: LyingRepository, home: Path) -> None:
    delegations = json.loads(lying.signers.targets())["signed"]["delegations"]

    def delegate(targets: dict[str, Any]) -> None:
        targets["version"], targets["delegations"] = 2, delegations

    lying.put("rtp", changed(lying, lying.documents["rtp"], delegate, "rtp#registrar-1"))
    lying.seal()
    assert rule(refusal(lying, home)) == "no-further-delegation"


def test_the_officers_targets_hold_the_charter_alone(lying: LyingRepository, home: Path) -> None:
    def add(targets: dict[str, Any]) -> None:
        targets["version"] = 2
        targets["targets"]["members/rtp.json"] = targets["targets"][CHARTER_PATH]

    body = lying.signers.charter()
    lying.put(TARGETS, changed(lying, lying.documents[TARGETS], add, *both()), **{member_path("rtp"): body})
    lying.seal()
    assert rule(refusal(lying, home)) == "charter-alone"


def test_a_charter_that_names_others_than_the_roles_is_refused(lying: LyingRepository, home: Path) -> None:
    other = lying.signers.charter("oja", "ccib")

    def swap(targets: dict[str, Any]) -> None:
        targets["version"], targets["targets"][CHARTER_PATH] = 2, target(CHARTER_PATH, other).to_dict()

    lying.put(TARGETS, changed(lying, lying.documents[TARGETS], swap, *both()), **{CHARTER_PATH: other})
    lying.seal()
    assert rule(refusal(lying, home)) == "charter-fits-roles"


@pytest.mark.parametrize("role", [ROOT, TARGETS, "rtp", SNAPSHOT, TIMESTAMP])
def test_unknown_fields_are_refused_though_signed(lying: LyingRepository, home: Path, role: str) -> None:
    by = {ROOT: both(), TARGETS: both(), "rtp": ("rtp#registrar-1",)}.get(role, ("oja#registry-1",))

    def add(signed: dict[str, Any]) -> None:
        signed["version"], signed["x-more"] = signed["version"] + 1, True

    document = changed(lying, lying.documents[role], add, *by)
    if role == TIMESTAMP:
        lying.served["metadata/timestamp.json"] = document
    else:
        lying.put(role, document)
        lying.seal_timestamp() if role == SNAPSHOT else lying.seal()
    assert rule(refusal(lying, home)) == "form:extra_forbidden"


# ---------------------------------------------------------------- keys of members
def publish(lying: LyingRepository, agency: str, *kids: str, **changes: object) -> None:
    """The next version of a member with these keys."""
    version = json.loads(lying.documents[agency])["signed"]["version"] + 1
    keys = tuple(lying.signers.public(kid, **changes) for kid in kids)
    lying.put_member(lying.signers.member(agency, *keys), version)
    lying.seal()


def test_a_revoked_key_does_not_come_back(lying: LyingRepository, home: Path) -> None:
    publish(lying, "rtp", "rtp#client-1", "rtp#officer-1", revoked=True)
    assert lying.read(home).federation.members[2].keys[0].revoked
    publish(lying, "rtp", "rtp#client-1", "rtp#officer-1")
    assert rule(refusal(lying, home)) == "revoked-for-good"


def test_a_key_does_not_leave_the_list(lying: LyingRepository, home: Path) -> None:
    lying.read(home)
    publish(lying, "rtp", "rtp#client-1")
    assert rule(refusal(lying, home)) == "keys-stay-listed"


def test_a_key_does_not_change_under_its_name(lying: LyingRepository, home: Path) -> None:
    lying.read(home)
    lying.signers.private["rtp#client-1"] = Signers().key("rtp#client-1")
    publish(lying, "rtp", "rtp#client-1", "rtp#officer-1")
    assert rule(refusal(lying, home)) == "keys-never-change"


def test_a_key_does_not_begin_earlier_than_it_was_said(lying: LyingRepository, home: Path) -> None:
    lying.read(home)
    publish(lying, "rtp", "rtp#client-1", "rtp#officer-1", valid_from=NOW - timedelta(days=1))
    assert rule(refusal(lying, home)) == "keys-never-change"


def test_a_key_may_be_added_and_another_may_end_earlier(lying: LyingRepository, home: Path) -> None:
    lying.read(home)
    soon = NOW + timedelta(hours=48)
    publish(lying, "rtp", "rtp#client-1", "rtp#officer-1", "rtp#client-2", valid_until=soon)
    keys = lying.read(home).federation.members[2].keys
    assert [(key.kid, key.valid_until) for key in keys][-1] == ("rtp#client-2", soon)


def test_a_member_registers_no_key_in_anothers_name(lying: LyingRepository, home: Path) -> None:
    publish(lying, "rtp", "rtp#client-1", "rtp#officer-1", "ccib#client-9")
    assert rule(refusal(lying, home)) == "own-keys"


@pytest.mark.parametrize("purpose", ["gateway", "token", "log", "root", "registrar", "registry"])
def test_a_member_registers_no_key_that_only_others_may_have(lying: LyingRepository, home: Path, purpose: str) -> None:
    publish(lying, "rtp", "rtp#client-1", "rtp#officer-1", f"rtp#{purpose}-1")
    assert rule(refusal(lying, home)) == "key-purpose"


def test_a_key_is_named_after_what_it_is_for(lying: LyingRepository, home: Path) -> None:
    publish(lying, "rtp", "rtp#client-1", "rtp#officer-1", purpose="steward")
    assert rule(refusal(lying, home)) == "key-purpose"


def test_one_key_is_not_two_members(lying: LyingRepository, home: Path) -> None:
    lying.signers.private["rtp#client-1"] = replace(lying.signers.key("ccib#client-1"), kid="rtp#client-1")
    publish(lying, "rtp", "rtp#client-1")
    assert rule(refusal(lying, home)) == "each-key-once"


def test_an_agencys_file_tells_of_that_agency(lying: LyingRepository, home: Path) -> None:
    body = canonical_bytes(lying.signers.member("ccib"))
    path = member_path("rtp")
    made = make_agency({path: target(path, body)}, Seal(2, NOW + timedelta(days=9)))
    lying.put("rtp", lying.signers.signed(made, "rtp#registrar-1"), **{path: body})
    lying.seal()
    assert rule(refusal(lying, home)) == "own-name"


def test_contracts_stand_under_their_agencys_name(lying: LyingRepository, home: Path) -> None:
    digest = f"sha-256:{'a' * 64}"
    own = {contract_path("rtp", digest): b"signed"}
    lying.put("rtp", lying.signers.agency(lying.signers.member("rtp"), 2, more=own))
    lying.seal()
    assert lying.read(home).contracts["rtp"] == {"a" * 64}
    lying.put("rtp", lying.signers.agency(lying.signers.member("rtp"), 3, more={contract_path("ccib", digest): b"s"}))
    lying.seal()
    assert rule(refusal(lying, home)) == "own-paths"


# ---------------------------------------------------------------- homes
def test_a_member_that_was_admitted_and_has_published_nothing_has_no_keys(lying: LyingRepository, home: Path) -> None:
    everyone = (*MEMBERS, "dop")
    lying.put(TARGETS, lying.signers.targets(2, agencies=everyone), **{CHARTER_PATH: lying.signers.charter(*everyone)})
    lying.seal()
    assert [each.agency for each in lying.read(home).federation.members] == list(MEMBERS)


def test_what_was_revoked_is_not_forgotten_with_a_damaged_file(lying: LyingRepository, home: Path) -> None:
    lying.read(home)
    (home / "registry" / "members.json").write_text("{")
    assert refusal(lying, home).code == "setting-invalid"


def test_without_a_root_nothing_is_read(lying: LyingRepository, tmp_path: Path) -> None:
    assert refusal(lying, tmp_path).code == "setting-invalid"
