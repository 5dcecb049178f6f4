"""A new version of a contract at the gateway: as far above the last one as its terms demand, on the same budget."""

import pytest

from contracts.contract_diff import Version
from contracts.errors import InvalidInput, Refused
from contracts.transparency import EventKind
from gateway.store import registry
from tests import contract_texts, factories
from tests.contract_texts import breaking, tighter, version, weaker
from tests.gateway_world import World

pytestmark = pytest.mark.integration

QUERY = factories.query(dimensions=("month", "type"))


def publish(world: World, each: Version) -> None:
    world.exchange.publish_contract(world.connector("dop"), contract_texts.published(world.keys, each))


def ask(world: World, each: Version, agreement: str, nano_rho: int) -> None:
    """One answered question under an agreement of its own."""
    activity = factories.activity(
        (each.contract,), purpose="justice-statistics", legal_basis=("s24-1-statistics",), dimensions=("month", "type")
    )
    agreed = factories.agreement((each.contract,), id=agreement, activities=(activity,))
    world.register((), agreed)
    request = factories.request(agreed, QUERY, id=f"REQ-{agreement[-3:]}-{nano_rho}", nano_rho=nano_rho)
    world.submit(request)
    world.answer(each.contract)
    world.later()
    assert world.exchange.status(world.caller(), request.id).release is not None


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (weaker("1.1.0"), "contract-weaker-than-version"),
        (breaking("1.1.0"), "contract-breaks-under-version"),
        (tighter("1.0.1"), "contract-version-too-low"),
        (version("0.9.0", words="other"), "contract-version-not-higher"),
    ],
    ids=["weaker", "breaking", "tighter", "lower"],
)
def test_a_version_that_rises_too_little_is_refused_and_nothing_is_kept(world: World, new: Version, code: str) -> None:
    publish(world, version())
    before = world.kinds()

    with pytest.raises(Refused, match=code):
        publish(world, new)

    assert world.kinds() == before
    assert [each.reference.version for each in world.exchange.contracts() if each.agency == "dop"] == ["1.0.0"]


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (weaker("2.0.0"), {"bump": "major", "weakens": "coverage.firstMonth"}),
        (breaking("2.0.0"), {"bump": "major", "breaks": "release.maxDimensions"}),
        (tighter("1.1.0"), {"bump": "minor"}),
        (version("1.0.1", words="other"), {"bump": "patch"}),
    ],
    ids=["weaker", "breaking", "tighter", "words"],
)
def test_a_version_that_rises_as_it_must_is_published_and_logged_with_what_changed(
    world: World, new: Version, told: dict[str, str]
) -> None:
    publish(world, version())
    publish(world, new)

    facts = world.log()[-1].facts
    assert world.log()[-1].kind is EventKind.CONTRACT_PUBLISHED
    assert {name: facts[name] for name in facts.keys() - {"version", "digest", "source"}} == {
        "replaces": version().contract.digest,
        **told,
    }


def test_a_version_is_compared_with_the_newest_and_not_with_one_that_was_as_weak(world: World) -> None:
    for each in (version(), tighter("1.10.0"), version("1.9.9")):
        if each.contract.version == "1.9.9":
            with pytest.raises(Refused, match="contract-version-not-higher"):
                publish(world, each)
        else:
            publish(world, each)

    with pytest.raises(Refused, match="contract-weaker-than-version"):
        publish(world, version("1.11.0"))
    publish(world, version("2.0.0"))


def test_publishing_an_older_version_again_changes_nothing(world: World) -> None:
    publish(world, version())
    publish(world, tighter("1.1.0"))
    before = world.kinds()

    publish(world, version())

    assert world.kinds() == before


def test_each_version_needs_both_signatures_anew(world: World) -> None:
    publish(world, version())
    alone = contract_texts.published(world.keys, tighter("1.1.0"), "dop#steward-1")

    with pytest.raises(Refused, match="signers-incomplete"):
        world.exchange.publish_contract(world.connector("dop"), alone)


def test_nobody_publishes_a_contract_as_retired(world: World) -> None:
    publish(world, version())
    mine = world.exchange.contract(version().contract.digest)
    odd = {"retirement": {"reference": mine.reference, "agency": "dop", "reason": "x", "at": world.now}}
    retired = mine.model_validate({**dict(mine), "retired": {**odd, "document": "x", "retired_at": world.now}})

    with pytest.raises(InvalidInput, match="malformed-body"):
        world.exchange.publish_contract(world.connector("dop"), retired)


# ---------------------------------------------------------------- nothing resets spent budget
def test_no_version_gives_back_what_was_spent_nor_raises_the_budget(world: World) -> None:
    publish(world, version())
    ask(world, version(), "AGR-2569-101", 50_000_000)
    larger = version("2.0.0", differentialPrivacy={"nanoRhoPerWindow": 900_000_000})
    publish(world, larger)
    ask(world, larger, "AGR-2569-102", 60_000_000)

    touched = [line for line in world.exchange.budget(world.caller()) if line.source == "dop/probation" and line.spent]

    assert [(line.budget, line.spent) for line in touched] == [(200_000_000, 110_000_000)]


def test_a_smaller_budget_counts_at_once_and_a_later_larger_one_does_not(world: World) -> None:
    publish(world, version())
    ask(world, version(), "AGR-2569-101", 50_000_000)
    publish(world, tighter("1.1.0"))
    publish(world, version("2.0.0"))

    with world.store.read() as r:
        assert registry.budgets(r)["dop/probation"] == 100_000_000
    with pytest.raises(Refused, match="budget-exceeded"):
        ask(world, version("2.0.0"), "AGR-2569-102", 60_000_000)
