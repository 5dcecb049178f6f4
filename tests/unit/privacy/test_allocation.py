"""Parting a budget among claims."""

import math

import pytest

from contracts.errors import InvalidInput
from privacy.allocation import Claim, allocate

pytestmark = pytest.mark.unit

BUDGET = 1_000_000_000


def test_shares_follow_the_root_of_importance_and_what_it_takes_to_meet_the_target() -> None:
    plain, harder, weightier, oftener = Claim("a", 1.0), Claim("b", 3.0), Claim("c", 1.0, 4), Claim("d", 1.0, 1, 4)

    prices = allocate([plain, harder, weightier, oftener], 8_000_000)

    assert prices == pytest.approx({"a": 1_000_000, "b": 3_000_000, "c": 2_000_000, "d": 500_000}, abs=1)


def test_no_other_shares_make_the_weighed_errors_smaller() -> None:
    claims = [Claim("a", 2.0, 3, 1), Claim("b", 0.7, 1, 2), Claim("c", 5.0, 2, 3)]
    best = allocate(claims, BUDGET)

    def loss(prices: dict[str, float]) -> float:
        return sum(each.importance * each.difficulty**2 / prices[each.name] for each in claims)

    for giver in claims:
        for taker in claims:
            moved = 0.01 * best[giver.name] * giver.times
            other = best | {giver.name: best[giver.name] - moved / giver.times}
            other[taker.name] += moved / taker.times
            assert giver is taker or loss(other) > loss(dict(best))


@pytest.mark.parametrize("difficulty", [0.0, -1.0, math.inf, math.nan])
def test_a_claim_without_a_positive_difficulty_is_refused(difficulty: float) -> None:
    with pytest.raises(InvalidInput, match="price-not-positive"):
        allocate([Claim("a", difficulty)], BUDGET)


def test_nobody_claims_nothing() -> None:
    assert allocate([], BUDGET) == {}
