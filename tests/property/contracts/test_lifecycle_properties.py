"""Whatever acts come in whatever order: only the table moves an agreement, and what is done cannot be undone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.agreement import Agreement
from contracts.federation import KeyPurpose
from contracts.lifecycle import (
    TABLE,
    TERMINAL,
    Act,
    AgreementStanding,
    AgreementState,
    Because,
    SignedAct,
    admitted,
    begun,
    fold,
    role_of,
    step,
)
from tests import factories
from tests.agreement_world import an_act, until_active
from tests.factories import NOW

pytestmark = pytest.mark.property

AGREED = factories.agreement((factories.contract(), factories.contract(agency="rtp", id="crimes_case")))
AGENCIES = ("oja", "ccib", "rtp", "dop")
KIDS = tuple(f"{agency}#{name}" for agency in AGENCIES for name in ("officer-1", "officer-2", "dpo-1", "steward-1"))
ALL_KIDS = (*KIDS, "oja#gateway-1", "oja#client-1")
CASES = {(each.state, each.act, each.role): each for each in TABLE}
DONE = st.lists(st.tuples(st.sampled_from(sorted(Act)), st.sampled_from(ALL_KIDS), st.booleans()), max_size=14)
START = st.integers(min_value=0, max_value=len(until_active(AGREED)))


def signed(standing: AgreementStanding, act: Act, kid: str, *, fresh: bool = True) -> SignedAct:
    previous = standing.head if fresh else f"sha-256:{'0' * 64}"
    made = an_act(AGREED, act, kid, previous=previous, because=Because.OTHER)
    return SignedAct(act=made, kid=kid, purpose=KeyPurpose(kid.partition("#")[2].rpartition("-")[0]))


def begun_with(steps: int) -> AgreementStanding:
    standing = begun(AGREED)
    for act, kid in until_active(AGREED)[:steps]:
        standing = step(standing, AGREED, signed(standing, act, kid))
    return standing


@given(START, DONE)
def test_only_a_line_of_the_table_moves_an_agreement(start: int, done: list[tuple[Act, str, bool]]) -> None:
    standing = begun_with(start)
    for act, kid, fresh in done:
        made = signed(standing, act, kid, fresh=fresh)
        role = role_of(AGREED, made, standing.drafters)
        line = CASES.get((standing.state, act, role)) if role else None
        moved = step(standing, AGREED, made)
        if line is None or (not fresh and standing.state is not None):
            assert moved == standing
        if moved != standing:
            assert line is not None
            assert moved.state in {line.then, line.whole}
            assert moved.history[:-1] == standing.history
        standing = moved


@given(START, DONE)
def test_what_ended_stays_as_it_ended(start: int, done: list[tuple[Act, str, bool]]) -> None:
    standing = begun_with(start)
    for act, kid, fresh in done:
        moved = step(standing, AGREED, signed(standing, act, kid, fresh=fresh))
        if standing.state in TERMINAL:
            assert moved == standing
        standing = moved


@given(START, DONE)
def test_folding_the_acts_that_counted_gives_the_same_standing_again(
    start: int, done: list[tuple[Act, str, bool]]
) -> None:
    standing = begun_with(start)
    for act, kid, fresh in done:
        standing = step(standing, AGREED, signed(standing, act, kid, fresh=fresh))

    assert fold((each.signed for each in standing.history), AGREED, NOW) == standing


@given(START, DONE)
def test_nothing_is_ever_in_force_without_all_five_people(start: int, done: list[tuple[Act, str, bool]]) -> None:
    standing = begun_with(start)
    for act, kid, fresh in done:
        standing = step(standing, AGREED, signed(standing, act, kid, fresh=fresh))
    if standing.state not in {AgreementState.SIGNED, AgreementState.ACTIVE, AgreementState.SUSPENDED}:
        return
    acted = [each.signed for each in standing.history]
    approved = {(each.act.agency, each.purpose) for each in acted if each.act.act is Act.APPROVE}
    signers = {each.kid for each in acted if each.act.act is Act.SIGN}
    assert approved | {("oja", KeyPurpose.OFFICER)} == AGREED.required_signers
    assert len(signers) == 1
    assert AGREED.drafted_by not in signers | {each.kid for each in acted if each.act.act is Act.APPROVE}


def test_every_line_of_the_table_can_be_walked() -> None:
    """From nothing, by acts alone: no line is dead, whoever drafted."""
    walked: set[tuple[object, ...]] = set()
    for drafter in ("oja#officer-1", "ccib#officer-1", "ccib#dpo-1"):
        agreed = factories.agreement(drafted_by=drafter)
        todo, seen = [begun(agreed)], set()
        while todo:
            standing = todo.pop()
            for one in possible(agreed, standing):
                line = admitted(standing, agreed, one)
                assert line is not None
                walked.add((line.state, line.act, line.role))
                moved = step(standing, agreed, one)
                key = (moved.state, moved.approved, moved.suspended_by, moved.drafters)
                if key not in seen:
                    seen.add(key)
                    todo.append(moved)

    assert walked == set(CASES)


def possible(agreed: Agreement, standing: AgreementStanding) -> list[SignedAct]:
    """Every act that a key of the two parties, or of the gateway, can do now."""
    kids = [kid for kid in KIDS if kid.startswith(("oja", "ccib")) and "steward" not in kid]
    made = [
        SignedAct(
            act=an_act(agreed, act, kid, previous=standing.head),
            kid=kid,
            purpose=KeyPurpose(kid.partition("#")[2].rpartition("-")[0]),
        )
        for kid in (*kids, "oja#gateway-1")
        for act in Act
    ]
    return [each for each in made if admitted(standing, agreed, each) is not None]
