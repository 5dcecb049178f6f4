"""The life of an agreement: the table, what acts come to, and the same life as a dataspace sees it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from contracts.agreement import Agreement
from contracts.canonical import digest_of
from contracts.federation import KeyPurpose
from contracts.lifecycle import (
    ANSWERS,
    TABLE,
    TERMINAL,
    Act,
    AgreementStanding,
    AgreementState,
    DspState,
    Role,
    SignedAct,
    admitted,
    begins_at,
    begun,
    dsp_of,
    ends_at,
    fold,
    role_of,
    step,
)
from contracts.lifecycle_reference import page
from tests import factories
from tests.agreement_world import an_act, until_active
from tests.factories import NOW

pytestmark = pytest.mark.unit

AGREED = factories.agreement()
TWO = factories.agreement((factories.contract(), factories.contract(agency="rtp", id="crimes_case")))
GATEWAY = "oja#gateway-1"


def signed(standing: AgreementStanding, agreed: Agreement, act: Act, kid: str, **changes: object) -> SignedAct:
    """An act that names the one before it."""
    made = an_act(agreed, act, kid, **({"previous": standing.head} | changes))
    return SignedAct(act=made, kid=kid, purpose=KeyPurpose(kid.partition("#")[2].rpartition("-")[0]))


def after(*done: tuple[Act, str], agreed: Agreement = AGREED) -> AgreementStanding:
    """Where a version stands after these acts."""
    standing = begun(agreed)
    for act, kid in done:
        standing = step(standing, agreed, signed(standing, agreed, act, kid))
    return standing


def active(agreed: Agreement = AGREED) -> AgreementStanding:
    return after(*until_active(agreed), agreed=agreed)


def test_from_submission_to_force_every_act_leads_on() -> None:
    states = [each.state.value for each in active().history]

    assert states == ["submitted", "under_review", "approved", "signed", "active"]
    assert [each.role.value for each in active().history] == [
        "requester-drafter",
        "provider-officer",
        "provider-dpo",
        "requester-officer",
        "gateway",
    ]


def test_an_agreement_with_two_providers_is_approved_by_four_people_and_not_by_three() -> None:
    done = until_active(TWO)

    assert after(*done[:4], agreed=TWO).state is AgreementState.UNDER_REVIEW
    assert after(*done[:5], agreed=TWO).state is AgreementState.APPROVED


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_what_has_ended_admits_nothing(state: AgreementState) -> None:
    assert not [each for each in TABLE if each.state is state]


def test_every_state_but_expired_is_reached_and_every_line_has_a_case_of_its_own() -> None:
    reached = {each.then for each in TABLE} | {each.whole for each in TABLE if each.whole}

    assert reached == set(AgreementState) - {AgreementState.EXPIRED}
    assert len({(each.state, each.act, each.role) for each in TABLE}) == len(TABLE)


def test_nobody_who_drafted_approves_accepts_or_signs_and_no_requester_decides() -> None:
    drafters = {Role.REQUESTER_DRAFTER, Role.PROVIDER_DRAFTER}
    requesters = {Role.REQUESTER_DRAFTER, Role.REQUESTER_OFFICER}

    assert not [each for each in TABLE if each.act in {Act.APPROVE, Act.ACCEPT, Act.SIGN} and each.role in drafters]
    deciding = {Act.REVIEW, Act.COUNTER, Act.APPROVE, Act.REJECT}
    assert not [each for each in TABLE if each.act in deciding and each.role in requesters]


def test_the_gateway_only_keeps_the_book() -> None:
    assert {each.act for each in TABLE if each.role is Role.GATEWAY} == {Act.ACTIVATE, Act.SUPERSEDE}
    assert {each.role for each in TABLE if each.act in {Act.ACTIVATE, Act.SUPERSEDE}} == {Role.GATEWAY}


@pytest.mark.parametrize(
    ("kid", "agency", "role"),
    [
        ("oja#officer-1", "oja", Role.REQUESTER_DRAFTER),
        ("oja#officer-2", "oja", Role.REQUESTER_OFFICER),
        ("ccib#officer-1", "ccib", Role.PROVIDER_OFFICER),
        ("ccib#dpo-1", "ccib", Role.PROVIDER_DPO),
        (GATEWAY, "oja", Role.GATEWAY),
        ("rtp#officer-1", "rtp", None),
        ("oja#dpo-1", "oja", None),
        ("ccib#steward-1", "ccib", None),
        ("ccib#officer-1", "oja", None),
    ],
)
def test_a_role_follows_from_the_key_and_the_text(kid: str, agency: str, role: Role | None) -> None:
    act = signed(begun(AGREED), AGREED, Act.SUSPEND, kid, agency=agency)

    assert role_of(AGREED, act, frozenset({AGREED.drafted_by})) is role


def test_whoever_once_wrote_the_draft_does_not_sign_the_text_that_took_its_place() -> None:
    first = signed(begun(AGREED), AGREED, Act.DRAFT, "oja#officer-2", digest=f"sha-256:{'1' * 64}")
    standing = step(begun(AGREED), AGREED, first)
    for act, kid in [(Act.DRAFT, "oja#officer-1"), *until_active(AGREED)[:3]]:
        standing = step(standing, AGREED, signed(standing, AGREED, act, kid))
    assert standing.state is AgreementState.APPROVED

    signing = signed(standing, AGREED, Act.SIGN, "oja#officer-2")

    assert admitted(standing, AGREED, signing) is None
    assert admitted(standing, AGREED, signed(standing, AGREED, Act.SIGN, "oja#officer-3")) is not None


@pytest.mark.parametrize("act", [Act.DRAFT, Act.SUBMIT])
def test_nobody_gives_out_a_text_as_anothers(act: Act) -> None:
    lying = step(begun(AGREED), AGREED, signed(begun(AGREED), AGREED, Act.DRAFT, "oja#officer-1", digest=OTHER))

    for standing in (begun(AGREED), lying):
        assert admitted(standing, AGREED, signed(standing, AGREED, act, "oja#officer-2")) is None


OTHER = f"sha-256:{'2' * 64}"


def test_a_colleague_submits_the_draft_that_lies_there() -> None:
    assert after((Act.DRAFT, "oja#officer-1"), (Act.SUBMIT, "oja#officer-2")).state is AgreementState.SUBMITTED


@pytest.mark.parametrize(
    "changes",
    [{"digest": OTHER}, {"version": 2}, {"agreement": "AGR-2569-999"}, {"previous": OTHER}, {"previous": None}],
)
def test_an_act_about_another_text_or_another_standing_changes_nothing(changes: dict[str, object]) -> None:
    standing = after((Act.SUBMIT, "oja#officer-1"))

    moved = step(standing, AGREED, signed(standing, AGREED, Act.REVIEW, "ccib#officer-1", **changes))

    assert moved == standing


def test_one_person_approves_once() -> None:
    standing = after((Act.SUBMIT, "oja#officer-1"), (Act.APPROVE, "ccib#officer-1"))

    for kid in ("ccib#officer-1", "ccib#officer-2"):
        assert admitted(standing, AGREED, signed(standing, AGREED, Act.APPROVE, kid)) is None


def test_only_who_suspended_resumes_and_all_who_did_must() -> None:
    both = [*until_active(AGREED), (Act.SUSPEND, "ccib#dpo-1"), (Act.SUSPEND, "oja#officer-1")]

    assert after(*both, (Act.RESUME, "ccib#officer-1")).state is AgreementState.SUSPENDED
    assert after(*both, (Act.RESUME, "ccib#officer-1"), (Act.RESUME, "oja#officer-2")).state is AgreementState.ACTIVE
    again = after(*both, (Act.RESUME, "ccib#officer-1"), (Act.RESUME, "ccib#officer-1"))
    assert again.suspended_by == {"oja"}
    twice = after(*until_active(AGREED), (Act.SUSPEND, "ccib#dpo-1"), (Act.SUSPEND, "ccib#officer-1"))
    assert len(twice.history) == len(until_active(AGREED)) + 1


def test_it_expires_by_its_period_alone_at_midnight_in_bangkok() -> None:
    acts = [each.signed for each in active().history]
    end = datetime(2026, 9, 30, 17, tzinfo=UTC)  # 1 October 2026, 00:00 in Bangkok

    assert ends_at(AGREED) == end
    assert begins_at(AGREED) == datetime(2025, 9, 30, 17, tzinfo=UTC)
    assert fold(acts, AGREED, end - timedelta(microseconds=1)).state is AgreementState.ACTIVE
    assert fold(acts, AGREED, end).state is AgreementState.EXPIRED


def test_what_ended_before_its_period_did_does_not_expire() -> None:
    acts = [each.signed for each in after(*until_active(AGREED), (Act.REVOKE, "ccib#dpo-1")).history]

    assert fold(acts, AGREED, ends_at(AGREED)).state is AgreementState.REVOKED


# ------------------------------------------------------------------ the Dataspace Protocol 2025-1

SEQUENCES = """
C:REQUESTED P:OFFERED C:TERMINATED
C:REQUESTED P:OFFERED C:REQUESTED P:TERMINATED
C:REQUESTED P:OFFERED C:ACCEPTED P:AGREED C:VERIFIED P:FINALIZED
C:REQUESTED P:AGREED C:VERIFIED P:FINALIZED
C:REQUESTED P:TERMINATED
C:REQUESTED C:TERMINATED
C:REQUESTED P:AGREED C:TERMINATED
C:REQUESTED P:OFFERED P:TERMINATED
C:REQUESTED P:OFFERED C:ACCEPTED P:TERMINATED
C:REQUESTED P:AGREED C:VERIFIED P:TERMINATED
C:REQUESTED P:AGREED C:VERIFIED P:FINALIZED C:TERMINATED!
C:REQUESTED P:OFFERED C:VERIFIED!
C:REQUESTED P:OFFERED C:ACCEPTED C:VERIFIED!
C:REQUESTED P:OFFERED C:REQUESTED P:OFFERED C:REQUESTED P:TERMINATED
C:REQUESTED P:FINALIZED!
C:REQUESTED P:OFFERED P:AGREED!
C:REQUESTED P:OFFERED P:FINALIZED!
C:REQUESTED P:OFFERED C:ACCEPTED P:FINALIZED!
C:REQUESTED P:OFFERED C:ACCEPTED P:OFFERED!
C:REQUESTED P:OFFERED C:ACCEPTED P:AGREED P:FINALIZED!
"""
"""The negotiations of the protocol's own test kit; ``!`` marks a step that must be refused."""

TERMINATES = {"C": (Act.WITHDRAW, "oja#officer-2"), "P": (Act.REJECT, "ccib#officer-2")}


class Negotiation:
    """Versions of one agreement as a dataspace sees them: one negotiation."""

    def __init__(self) -> None:
        self.agreed = AGREED
        self.standing = begun(AGREED)

    def go(self, who: str, to: DspState) -> bool:
        """Whether the table lets this side move the negotiation there; if so, it is there."""
        if to in {DspState.REQUESTED, DspState.OFFERED}:
            return self._answer(Act.SUBMIT if to is DspState.REQUESTED else Act.COUNTER)
        acts = {
            DspState.ACCEPTED: [(Act.ACCEPT, "oja#officer-2")],
            DspState.AGREED: [(Act.APPROVE, "ccib#officer-2"), (Act.APPROVE, "ccib#dpo-1")],
            DspState.VERIFIED: [(Act.SIGN, "oja#officer-2")],
            DspState.FINALIZED: [(Act.ACTIVATE, GATEWAY)],
            DspState.TERMINATED: [TERMINATES[who]],
        }[to]
        return all(self._do(act, kid) for act, kid in acts) and self.standing.dsp is to

    def _do(self, act: Act, kid: str) -> bool:
        before = self.standing
        self.standing = step(before, self.agreed, signed(before, self.agreed, act, kid))
        return self.standing != before

    def _answer(self, act: Act) -> bool:
        before = self.standing
        if before.state is not None:
            gone = step(before, self.agreed, signed(before, self.agreed, Act.SUPERSEDE, GATEWAY))
            if before.dsp is None or ANSWERS.get(before.dsp) is not act or gone == before:
                return False
        drafter = "oja#officer-1" if act is Act.SUBMIT else "ccib#officer-1"
        version = self.agreed.version + (before.state is not None)
        self.agreed = self.agreed.model_copy(update={"version": version, "drafted_by": drafter})
        self.standing = begun(self.agreed)
        return self._do(act, drafter)


@pytest.mark.parametrize("sequence", SEQUENCES.strip().splitlines())
def test_every_negotiation_of_the_protocols_test_kit_goes_as_it_says(sequence: str) -> None:
    negotiation = Negotiation()

    for each in sequence.split():
        who, _, to = each.rstrip("!").partition(":")
        assert negotiation.go(who, DspState(to)) is not each.endswith("!"), each


PROTOCOL = {
    (None, "C"): {"REQUESTED"},
    (None, "P"): {"OFFERED"},
    ("REQUESTED", "P"): {"OFFERED", "AGREED", "TERMINATED"},
    ("REQUESTED", "C"): {"TERMINATED"},
    ("OFFERED", "C"): {"REQUESTED", "ACCEPTED", "TERMINATED"},
    ("OFFERED", "P"): {"TERMINATED"},
    ("ACCEPTED", "P"): {"AGREED", "TERMINATED"},
    ("AGREED", "C"): {"VERIFIED", "TERMINATED"},
    ("VERIFIED", "P"): {"FINALIZED", "TERMINATED"},
}
BEYOND = {("ACCEPTED", "C", "TERMINATED"), ("AGREED", "P", "TERMINATED"), ("VERIFIED", "C", "TERMINATED")}
"""Where our table lets a side stop though the protocol does not: before anything is in force, whoever doubts may."""


def lives() -> Iterable[AgreementStanding]:
    """A life for every line of the table that a dataspace sees."""
    for done in (until_active(AGREED), [(Act.DRAFT, "oja#officer-1"), *until_active(AGREED)]):
        for length in range(1, len(done) + 1):
            before = after(*done[:length])
            yield before
            for act, kid in (*TERMINATES.values(), (Act.REVOKE, "oja#officer-2"), (Act.REVOKE, "ccib#dpo-1")):
                yield step(before, AGREED, signed(before, AGREED, act, kid))


def test_what_a_dataspace_sees_of_any_life_is_a_negotiation_or_stops_before_it_is_in_force() -> None:
    seen = set()
    for life in lives():
        states = dsp_of(life.history)
        assert (states[-1] if states else None) == life.dsp
        sides = [each for each in life.history if each.signed.act.act not in {Act.DRAFT, Act.REVIEW}]
        for before, to in pairwise((None, *states)):
            seen.add((before and before.value, to and to.value))
        assert len(sides) >= len(states)
    allowed = {(state, to) for (state, _), many in PROTOCOL.items() for to in many}
    allowed |= {(state, to) for state, _, to in BEYOND}
    assert seen <= allowed


def test_the_digest_of_an_act_is_what_the_next_one_names() -> None:
    standing = after((Act.SUBMIT, "oja#officer-1"))

    assert standing.head == digest_of(standing.history[-1].signed.act)
    assert standing.history[-1].signed.act.at == NOW


def test_the_page_of_the_reference_is_made_from_the_table() -> None:
    written = (Path(__file__).parents[3] / "docs/reference/agreement-lifecycle.md").read_text(encoding="utf-8")

    assert written == page(), "run: python -m contracts.lifecycle_reference > docs/reference/agreement-lifecycle.md"
