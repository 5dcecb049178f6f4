"""What a connector remembers of a task's bytes never outlives a key, a time, a list or a letter."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from connectors.guard import Guard
from contracts.dataset import DatasetContract
from contracts.errors import SaphanError
from contracts.federation import Federation, KeyPurpose
from contracts.keys import new_key
from contracts.task import LeasedTask
from tests import factories
from tests.connector_world import Known, case
from tests.factories import NOW

pytestmark = pytest.mark.unit

KEYS = factories.federation()
CASE = case()
KIDS = ("oja#token-1", "oja#gateway-1", "oja#client-1", "oja#officer-2", "ccib#officer-1", "ccib#dpo-1")


def changed(kid: str, **changes: object) -> Federation:
    """The federation in which one key is another."""
    members = tuple(
        each.model_copy(update={"keys": tuple(k.model_copy(update=changes) if k.kid == kid else k for k in each.keys)})
        for each in KEYS.federation.members
    )
    return KEYS.federation.model_copy(update={"members": members})


def refusal(leased: LeasedTask, federation: Federation, now: datetime, *, is_listed: bool = True) -> str | None:
    """The code with which a task is refused; none when it is believed."""
    approved: Callable[[str], DatasetContract | None] = {CASE.contract.digest: CASE.contract}.get
    guard = Guard("ccib", federation, approved if is_listed else lambda _: None, Known())
    try:
        guard.check_delivery(leased, now)
        guard.check_task(leased.task, now)
    except SaphanError as error:
        return error.code
    return None


@pytest.mark.parametrize("kid", KIDS)
def test_a_task_that_was_believed_is_refused_once_a_key_under_it_is_revoked_or_ended(kid: str) -> None:
    leased, soon = CASE.leased(), NOW + timedelta(seconds=20)
    assert refusal(leased, KEYS.federation, NOW) is None

    assert refusal(leased, changed(kid, revoked=True), NOW) == "key-unknown"
    ended = changed(kid, valid_until=soon)
    assert (refusal(leased, ended, NOW), refusal(leased, ended, soon)) == (None, "key-unknown")
    assert refusal(leased, KEYS.federation, NOW) is None


@pytest.mark.parametrize("kid", KIDS)
def test_a_task_that_was_believed_is_refused_once_another_key_stands_under_a_name(kid: str) -> None:
    leased = CASE.leased()
    assert refusal(leased, KEYS.federation, NOW) is None
    other = new_key(kid).public_key(KeyPurpose(kid.partition("#")[2][:-2]), NOW, NOW + timedelta(days=1))

    code = refusal(leased, changed(kid, x=other.x, y=other.y), NOW)

    assert code == ("token-invalid" if kid == "oja#token-1" else "signature-wrong")


def test_a_task_that_was_believed_is_refused_once_its_contract_is_off_the_list() -> None:
    leased = CASE.leased()
    assert refusal(leased, KEYS.federation, NOW) is None

    assert refusal(leased, KEYS.federation, NOW, is_listed=False) == "contract-not-approved"


def test_a_task_that_was_believed_is_refused_after_its_time() -> None:
    leased, late = CASE.leased(), NOW + timedelta(days=1, seconds=1)
    assert refusal(leased, KEYS.federation, NOW) is None

    guard = Guard("ccib", KEYS.federation, {CASE.contract.digest: CASE.contract}.get, Known())
    with pytest.raises(SaphanError, match="delivery-expired"):
        guard.check_task(leased.task, late)


def test_a_changed_copy_of_a_task_that_was_believed_is_another_task() -> None:
    leased = CASE.leased()
    assert refusal(leased, KEYS.federation, NOW) is None
    other = leased.task.model_copy(update={"contract": leased.task.contract.model_copy(update={"version": "9.9.9"})})

    assert refusal(leased.model_copy(update={"task": other}), KEYS.federation, NOW) == "task-not-ours"
