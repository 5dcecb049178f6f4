"""Every guard and every forbid is disabled in turn, and some test notices; what finds them is itself tested here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from policies.rules import EXCHANGE, installed_texts
from tests.mutation.guards import forbids, instrument
from tests.mutation.modules import EXCLUDED, guarded, is_guarded
from tests.mutation.switch import NAME, Switch

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).parents[2]
MODULE = '''
class Door:
    def enter(self, who):
        """In."""
        if who is None or not who.name:
            raise Refused("not-allowed")
        self._check_age(who)
        if who.age > 100:
            who.seat = "front"
        return who

def reasons(asked):
    found = set()
    if asked.price > 5:
        found.add("price-above-activity")
    elif asked.late:
        raise problem(asked)
    return found
'''


def test_every_forbid_and_every_guard_of_the_connector_is_missed_by_some_test_when_it_is_out_of_order() -> None:
    # The policies, the connector's own checks and the gateway's door, by the unit tests: a minute at most.
    # ``./run mutate`` tries every guard. Within these packages modules, guards and tests are found, not listed.
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    tried = ("policies", "connectors.guard", "connectors.task_token", "gateway.identity")
    of_identity = sorted(str(each) for each in (ROOT / "tests/unit/gateway").glob("test_identity_*.py"))
    modules = [word for each in tried for word in ("--module", each)]
    tests = [
        word for each in ("tests/unit/policies", "tests/unit/connectors", *of_identity) for word in ("--tests", each)
    ]
    command = [sys.executable, "-m", "tests.mutation", *modules, *tests]
    done = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_guards_are_found_by_their_shape() -> None:
    assert instrument("door", MODULE)[1] == (
        "door:Door.enter: who is None",
        "door:Door.enter: not who.name",
        "door:Door.enter: self._check_age(who)",
        "door:reasons: asked.price > 5",
        "door:reasons: asked.late",
    )


def test_guards_of_one_text_in_one_function_are_told_apart() -> None:
    twice = (
        "def f(x):\n    if x:\n        raise Bad()\n    if x:\n        raise Bad()\n    if x:\n        raise Bad()\n"
    )

    assert instrument("m", twice)[1] == ("m:f: x", "m:f: x #2", "m:f: x #3")


class Who:
    """Somebody at the door."""

    def __init__(self, name: str, age: int = 30) -> None:
        self.name, self.age, self.seat = name, age, ""


class RefusedError(Exception):
    """No."""


def door(switch: Switch) -> object:
    """The instrumented door of ``MODULE``, whose age check always fails."""
    names: dict[str, object] = {NAME: switch.guards, "Refused": RefusedError}
    exec(compile(instrument("door", MODULE)[0], "door", "exec"), names)  # noqa: S102  # our own text above
    kind = names["Door"]
    assert isinstance(kind, type)

    def too_young(_self: object, _who: Who) -> None:
        raise RefusedError

    return type("Strict", (kind,), {"_check_age": too_young})()


@pytest.mark.parametrize(("guard", "name"), [("not who.name", ""), ("self._check_age(who)", "somebody")])
def test_a_guard_out_of_order_lets_pass_what_it_held_off(guard: str, name: str) -> None:
    strict = Switch(test="t")
    with pytest.raises(RefusedError):
        door(strict).enter(Who(name))  # type: ignore[attr-defined]  # made at run time
    assert strict.fired == {f"door:Door.enter: {guard}": {"t"}}

    broken = Switch(disabled=f"door:Door.enter: {guard}")
    if name:
        assert door(broken).enter(Who(name))  # type: ignore[attr-defined]  # made at run time
    else:
        with pytest.raises(RefusedError):  # the next guard still holds
            door(broken).enter(Who(name))  # type: ignore[attr-defined]  # made at run time


def test_forbids_are_parsed_from_the_policies() -> None:
    text = installed_texts()[EXCHANGE]
    found = forbids(EXCHANGE, text)

    assert len(found) == text.count("\nforbid (")
    without = found[f"{EXCHANGE}: tier-not-available"]
    assert "tier-not-available" not in without
    assert without.count("\nforbid (") == len(found) - 1


def test_decision_makers_are_found_by_a_rule_and_each_exclusion_names_what_exists() -> None:
    made = set(guarded())

    assert {
        "connectors.guard",
        "policies.decide",
        "gateway.publishing",
        "gateway.identity.door",
        "contracts.fit",
    } <= made
    for name, why in EXCLUDED.items():
        path = ROOT.joinpath(*name.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), name
        assert not is_guarded(name), name
        assert why, name
