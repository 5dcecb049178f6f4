"""A registry that is old, frozen, put together from parts, or signed by too few: what a reader says to it."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.canonical import canonical_bytes
from contracts.errors import IntegrityError, Unavailable
from contracts.registry import TIMESTAMP_LIFE, member_path
from tests.factories import NOW
from tests.registry_world import (
    MEMBERS,
    LyingRepository,
    Signers,
    both,
    changed,
    home_with,
    honest,
    refusal,
    rule,
)
from trust.reader import read_known
from trust.roles import ROOT, SNAPSHOT, TARGETS, Officers

pytestmark = pytest.mark.integration


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
