"""Who may do what to an agreement: separation of duties, each rule alone."""

import pytest

from contracts.federation import KeyPurpose
from contracts.lifecycle import Act, AgreementState
from tests.policy_cases import DEEDS, Deed

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: f"{deed.title}-{deed.kid}")
def test_every_act_gets_the_decision_of_its_case(deed: Deed) -> None:
    assert deed.decide() == deed.reasons


@pytest.mark.parametrize("act", Act)
def test_no_act_is_open_to_every_kind_of_key(act: Act) -> None:
    closed = [kind for kind in KeyPurpose if Deed("", act, f"oja#{kind.value}-2").decide()]

    assert {KeyPurpose.CLIENT, KeyPurpose.CONNECTOR, KeyPurpose.STEWARD, KeyPurpose.TOKEN, KeyPurpose.LOG} <= {*closed}


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("kind", [KeyPurpose.OFFICER, KeyPurpose.DPO, KeyPurpose.GATEWAY])
def test_what_has_ended_stays_ended(act: Act, kind: KeyPurpose) -> None:
    for state in ("rejected", "withdrawn", "revoked", "superseded", "expired"):
        assert "agreement-ended" in Deed("", act, f"ccib#{kind.value}-1", state=AgreementState(state)).decide()


def test_a_second_drafter_counts_like_the_first() -> None:
    two = frozenset({"ccib#officer-1", "ccib#officer-2"})

    assert Deed("", Act.SIGN, "ccib#officer-2", drafters=two).decide() == ("approves-own-draft",)
    assert Deed("", Act.SIGN, "ccib#officer-3", drafters=two).decide() == ()
