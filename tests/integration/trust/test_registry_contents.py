"""What officers, agencies and thieves could sign that nobody should believe, and what a reader says to it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.canonical import canonical_bytes
from contracts.errors import IntegrityError
from contracts.registry import CHARTER_PATH, contract_path, member_path
from tests.factories import NOW
from tests.registry_world import (
    MEMBERS,
    LyingRepository,
    Signers,
    both,
    changed,
    refusal,
    rule,
)
from trust.reader import read
from trust.roles import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, Seal, make_agency, target

pytestmark = pytest.mark.integration


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

    def endless(path: str, _most: int) -> Iterator[bytes]:
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


def test_an_agencys_role_without_its_keys_is_refused(lying: LyingRepository, home: Path) -> None:
    lying.put("rtp", lying.signers.signed(make_agency({}, Seal(2, NOW + timedelta(days=9))), "rtp#registrar-1"))
    lying.seal()
    assert rule(refusal(lying, home)) == "own-keys-listed"


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
