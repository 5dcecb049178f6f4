"""Who may give which role, and what each role may: the tables, case by case."""

from itertools import product
from pathlib import Path

import pytest

from contracts.errors import Refused
from contracts.people import PersonRole as R
from gateway.people import roles_reference
from gateway.people.roles import (
    GIVES,
    MAY,
    Giver,
    May,
    Standing,
    check_change,
    check_may,
    check_together,
    may,
)

pytestmark = pytest.mark.unit

CCIB = Standing("ccib", is_operator=False, had_steward=True)
NEW = Standing("rtp", is_operator=False, had_steward=False)
OPERATOR = Standing("oja", is_operator=True, had_steward=True)


def giver(*roles: R, agency: str = "ccib", person: str | None = "psn-giver") -> Giver:
    return Giver(agency, frozenset(roles), person)


def test_a_steward_gives_every_role_of_the_agency_but_operator() -> None:
    for role in R:
        if role is R.OPERATOR:
            with pytest.raises(Refused, match="role-not-given"):
                check_change(giver(R.STEWARD), role, "psn-other", CCIB)
        else:
            check_change(giver(R.STEWARD), role, "psn-other", CCIB)


@pytest.mark.parametrize(("role", "given"), list(product(sorted(set(R) - set(GIVES)), R)))
def test_nobody_but_stewards_and_operators_gives_any_role(role: R, given: R) -> None:
    with pytest.raises(Refused, match="role-not-given"):
        check_change(giver(role), given, "psn-other", CCIB)


@pytest.mark.parametrize("role", list(R))
def test_nobody_changes_his_own_roles(role: R) -> None:
    everything = giver(*R, agency="oja")
    check_change(everything, R.STEWARD, "psn-other", OPERATOR)
    with pytest.raises(Refused, match="role-not-given"):
        check_change(everything, role, "psn-giver", OPERATOR)
    with pytest.raises(Refused, match="role-not-given"):
        check_change(everything, role, "psn-giver", OPERATOR, taking=True)


def test_a_steward_gives_nothing_in_another_agency() -> None:
    with pytest.raises(Refused, match="role-not-given"):
        check_change(giver(R.STEWARD), R.OFFICER, "psn-other", NEW)


def test_an_operator_invites_the_first_steward_and_no_second() -> None:
    operator = giver(R.OPERATOR, agency="oja")

    check_change(operator, R.STEWARD, None, NEW)

    with pytest.raises(Refused, match="role-not-given"):
        check_change(operator, R.STEWARD, None, CCIB)
    check_change(operator, R.STEWARD, "psn-lost", CCIB, taking=True)


@pytest.mark.parametrize("role", sorted(set(R) - {R.STEWARD}))
def test_an_operator_gives_nothing_else_to_other_agencies(role: R) -> None:
    with pytest.raises(Refused, match="role-not-given"):
        check_change(giver(R.OPERATOR, agency="oja"), role, None, NEW)


def test_operators_belong_to_the_gateway_s_operator_alone() -> None:
    check_change(giver(R.OPERATOR, agency="oja"), R.OPERATOR, "psn-other", OPERATOR)
    with pytest.raises(Refused, match="role-not-given"):
        check_change(giver(R.OPERATOR, agency="oja"), R.OPERATOR, "psn-other", CCIB)
    with pytest.raises(Refused, match="role-not-given"):
        check_change(giver(R.STEWARD, agency="oja"), R.OPERATOR, "psn-other", OPERATOR)


@pytest.mark.parametrize("pair", [{R.STEWARD, R.DPO}, {R.OPERATOR, R.AUDITOR}])
def test_some_duties_belong_to_two_people(pair: set[R]) -> None:
    with pytest.raises(Refused, match="role-not-given"):
        check_together(frozenset(pair | {R.ANALYST}))
    for role in pair:
        check_together(frozenset({role, R.ANALYST}))


def test_what_a_role_may_is_what_the_table_says_and_nothing_more() -> None:
    assert {role for role in R if may([role], May.ACT_ON_AGREEMENTS)} == {R.OFFICER, R.DPO}
    assert {role for role in R if may([role], May.MANAGE_PEOPLE)} == {R.STEWARD, R.OPERATOR}
    assert {role for role in R if may([role], May.READ_SIGN_INS)} == {R.STEWARD, R.DPO, R.AUDITOR}
    assert set(MAY) == set(R)
    assert not may([], May.OWN_ACCOUNT)
    with pytest.raises(Refused, match="role-missing"):
        check_may([R.ANALYST], May.MANAGE_PEOPLE)


def test_the_reference_is_made_from_the_tables() -> None:
    path = Path(__file__).parents[3] / "docs" / "reference" / "roles.md"

    assert path.read_text(encoding="utf-8") == roles_reference.page()
