"""Signing and counting in memory: what is no metadata, and who is nobody's delegator."""

from collections.abc import Callable

import pytest

from contracts.errors import IntegrityError
from tests.registry_world import MEMBERS, Signers, in_order
from trust.roles import (
    ROOT,
    TARGETS,
    TIMESTAMP,
    join,
    listed_in,
    officers_of,
    registrars_of,
    sign,
    standing,
    version_of,
)

pytestmark = pytest.mark.unit

DOCUMENTS = in_order().documents


@pytest.mark.parametrize(
    ("why", "act"),
    [
        ("not metadata", lambda: version_of(b"{}")),
        ("not metadata", lambda: version_of(b"no json")),
        ("not targets", lambda: listed_in(DOCUMENTS[ROOT])),
        ("not a root", lambda: officers_of(DOCUMENTS[TARGETS])),
        ("no delegation of rtp", lambda: standing(DOCUMENTS["rtp"], "rtp", DOCUMENTS[TIMESTAMP])),
        ("no delegation of oag", lambda: standing(DOCUMENTS["rtp"], "oag", DOCUMENTS[TARGETS])),
        ("two texts under one name", lambda: join(DOCUMENTS["rtp"], DOCUMENTS["ccib"])),
    ],
)
def test_what_cannot_be_counted_is_forged(why: str, act: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError) as caught:
        act()
    assert (caught.value.code, caught.value.details["why"]) == ("registry-forged", why)


def test_officers_are_found_again_in_their_root() -> None:
    signers = Signers()
    officers = officers_of(signers.root())
    assert [key.kid for key in officers.keys] == ["ccib#root-1", "rtp#root-1", "dop#root-1"]
    assert [(key.x, key.y) for key in officers.keys] == [(key.x, key.y) for key in signers.officers().keys]
    assert (officers.threshold, [key.kid for key in officers.registry]) == (2, ["oja#registry-1"])


def test_a_signature_counts_once_however_often_it_is_made() -> None:
    signers = Signers()
    root = sign(signers.root(by=("ccib",)), signers.key("ccib#root-1"))
    found = standing(root, ROOT, root)
    assert (found.signed, found.threshold, found.is_met) == (("ccib#root-1",), 2, False)


def test_registrars_are_found_again_in_the_officers_targets() -> None:
    signers = Signers()
    found = registrars_of(signers.targets())
    wanted = [signers.public(f"{agency}#registrar-1") for agency in MEMBERS]
    assert {(key.kid, key.purpose, key.x, key.y) for key in found} == {
        (key.kid, key.purpose, key.x, key.y) for key in wanted
    }
    assert registrars_of(signers.agency(signers.member("rtp"))) == ()
