"""The closed forms of the registry's documents: each rule of ours, on documents that nobody even needs to sign."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from contracts.errors import IntegrityError
from contracts.registry import Charter, check_member, fold, read_charter, read_member, statement_of
from contracts.registry_documents import read_agency, read_root, read_snapshot, read_targets, read_timestamp, signers_of
from tests.factories import ISSUER
from tests.registry_world import Signers, in_order
from trust.roles import ROOT, SNAPSHOT, TARGETS, TIMESTAMP

pytestmark = pytest.mark.unit

P384 = """-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEV7vckOMwEeHPehf7PAtBc2gpbEkKKCpH
U4/wdOgt5R2/dNVbvjWI1HIsBLQ08YbGr4lyHrmKng9lF33c6A4QIFVhQi2ANJz7
YpQ8zLNbk8pnYesvyx9aFCDp3woLWir+
-----END PUBLIC KEY-----
"""
READ: dict[str, Callable[[bytes], object]] = {
    ROOT: read_root,
    TARGETS: read_targets,
    SNAPSHOT: read_snapshot,
    TIMESTAMP: read_timestamp,
    "rtp": lambda data: read_agency(data, "rtp"),
}


@cache
def document(role: str) -> bytes:
    """A document that is in order."""
    return in_order().documents[role]


def rule(role: str, change: Callable[[dict[str, Any]], object]) -> str:
    """The rule that a changed document breaks."""
    plain = json.loads(document(role))
    change(plain["signed"])
    with pytest.raises(IntegrityError) as caught:
        READ[role](json.dumps(plain).encode())
    assert caught.value.code == "registry-content"
    return caught.value.details["rule"]


def role_of(targets: dict[str, Any], name: str) -> dict[str, Any]:
    """An agency's delegated role."""
    roles: list[dict[str, Any]] = targets["delegations"]["roles"]
    return next(each for each in roles if each["name"] == name)


@pytest.mark.parametrize("role", READ)
def test_documents_in_order_are_read(role: str) -> None:
    READ[role](document(role))
    assert signers_of(document(role))


@pytest.mark.parametrize(
    ("broken", "change"),
    [
        ("threshold", lambda root: root["roles"]["root"].update(threshold=4)),
        ("threshold", lambda root: root["roles"]["timestamp"].update(threshold=2)),
        ("threshold", lambda root: root["roles"]["root"]["keyids"].append("ccib#root-1")),
        ("officers-of-two-agencies", lambda root: root["roles"]["root"].update(threshold=1)),
        ("charter-by-the-officers", lambda root: root["roles"]["targets"].update(threshold=3)),
        ("charter-by-the-officers", lambda root: root["roles"]["targets"]["keyids"].pop()),
        ("key-purpose", lambda root: root["roles"]["snapshot"].update(keyids=["ccib#root-1"])),
        ("key-purpose", lambda root: root["roles"]["timestamp"].update(keyids=["ccib#root-1"])),
        ("no-key-for-later", lambda root: root["keys"].pop("oja#registry-1")),
        ("key-form", lambda root: root["keys"]["ccib#root-1"]["keyval"].update(public=P384)),
        ("key-form", lambda root: root["keys"]["ccib#root-1"]["keyval"].update(public="no key")),
        ("form:literal_error", lambda root: root.update(consistent_snapshot=False)),
        ("form:literal_error", lambda root: root["keys"]["ccib#root-1"].update(scheme="rsassa-pss-sha256")),
        ("form:string_pattern_mismatch", lambda root: root.update(spec_version="2.0.0")),
        ("form:missing", lambda root: root["roles"].pop("snapshot")),
    ],
)
def test_a_root_keeps_to_our_rules(broken: str, change: Callable[[dict[str, Any]], object]) -> None:
    assert rule(ROOT, change) == broken


def test_a_key_that_is_written_in_another_way_is_the_same_key() -> None:
    def twice(root: dict[str, Any]) -> None:
        public = root["keys"]["ccib#root-1"]["keyval"]["public"]
        lines = public.strip().splitlines()
        body = "".join(lines[1:-1])
        other = "\n".join([lines[0], body[:40], body[40:], lines[-1], ""])
        assert other != public
        root["keys"]["rtp#root-1"]["keyval"]["public"] = other

    assert rule(ROOT, twice) == "each-key-once"


@pytest.mark.parametrize(
    ("broken", "change"),
    [
        ("own-role", lambda targets: role_of(targets, "rtp").update(paths=["members/rtp.json", "contracts/*/*"])),
        ("own-role", lambda targets: role_of(targets, "rtp").update(paths=["members/rtp.json"])),
        ("key-purpose", lambda targets: role_of(targets, "rtp").update(keyids=["rtp#officer-1"])),
        ("threshold", lambda targets: role_of(targets, "rtp").update(threshold=2)),
        ("one-role-per-agency", lambda t: t["delegations"]["roles"].append(role_of(t, "rtp"))),
        ("no-key-for-later", lambda targets: targets["delegations"]["roles"].pop()),
        ("charter-alone", lambda targets: targets.pop("delegations")),
        ("charter-alone", lambda targets: targets.update(targets={})),
        ("form:literal_error", lambda targets: role_of(targets, "rtp").update(terminating=False)),
        ("form:extra_forbidden", lambda t: t["targets"]["federation.json"].update(custom={})),
        ("form:extra_forbidden", lambda t: role_of(t, "rtp").update(path_hash_prefixes=["00"])),
    ],
)
def test_the_officers_targets_keep_to_our_rules(broken: str, change: Callable[[dict[str, Any]], object]) -> None:
    assert rule(TARGETS, change) == broken


def test_two_registrars_do_not_share_a_key() -> None:
    def share(targets: dict[str, Any]) -> None:
        keys = targets["delegations"]["keys"]
        keys["rtp#registrar-1"] = keys["ccib#registrar-1"]

    assert rule(TARGETS, share) == "each-key-once"


@pytest.mark.parametrize(
    ("broken", "change"),
    [
        ("own-keys-listed", lambda targets: targets.update(targets={})),
        ("own-paths", lambda t: t["targets"].update({"contracts/rtp/x": t["targets"]["members/rtp.json"]})),
        ("own-paths", lambda t: t["targets"].update({"members/rtp.json/..": t["targets"]["members/rtp.json"]})),
        ("form:literal_error", lambda targets: targets.update(_type="root")),
        ("form:string_pattern_mismatch", lambda t: t["targets"]["members/rtp.json"]["hashes"].update(sha256="00")),
        ("form:literal_error", lambda t: t["targets"]["members/rtp.json"]["hashes"].update(md5="00")),
    ],
)
def test_an_agencys_role_keeps_to_our_rules(broken: str, change: Callable[[dict[str, Any]], object]) -> None:
    assert rule("rtp", change) == broken


def test_what_is_no_document_is_none() -> None:
    for act in (*READ.values(), signers_of):
        with pytest.raises(IntegrityError):
            act(b"[]")


def content_rule(act: Callable[[], object]) -> str:
    with pytest.raises(IntegrityError) as caught:
        act()
    return caught.value.details["rule"]


def test_charter_and_member_have_a_form() -> None:
    assert content_rule(lambda: read_charter(b"{}")) == "charter-form"
    twice = Charter.model_construct(gateway=ISSUER, operator="oja", agencies=("oja", "oja"))
    assert content_rule(lambda: read_charter(twice.model_dump_json().encode())) == "charter-form"
    without = Charter.model_construct(gateway=ISSUER, operator="oja", agencies=("rtp",))
    assert content_rule(lambda: read_charter(without.model_dump_json().encode())) == "charter-form"
    assert content_rule(lambda: read_member(b"{}", "rtp", "oja")) == "member-form"


def test_the_federation_is_made_of_checked_members_alone() -> None:
    signers = Signers()
    charter = Charter(gateway=ISSUER, operator="oja", agencies=("oja", "rtp"))
    good = {agency: signers.member(agency) for agency in ("oja", "rtp", "dop")}
    federation = fold(charter, good)
    assert [each.agency for each in federation.members] == ["oja", "rtp"]
    assert content_rule(lambda: fold(charter, {"rtp": good["dop"]})) == "own-name"


def test_the_operator_registers_the_gateways_keys_and_nobody_the_registrys() -> None:
    signers = Signers()
    kids = ("oja#client-1", "oja#gateway-1", "oja#token-1", "oja#registry-1", "oja#registrar-1", "oja#root-1")
    stated = signers.member("oja", *(signers.public(kid) for kid in kids))
    assert [key.kid for key in statement_of(stated).keys] == list(kids[:3])
    check_member(statement_of(stated), "oja", "oja")
    assert content_rule(lambda: check_member(statement_of(stated), "oja", "rtp")) == "key-purpose"
    assert content_rule(lambda: check_member(stated, "oja", "oja")) == "key-purpose"


def test_a_member_states_each_key_once() -> None:
    signers = Signers()
    key = signers.public("rtp#client-1")
    assert content_rule(lambda: check_member(signers.member("rtp", key, key), "rtp", "oja")) == "each-key-once"
