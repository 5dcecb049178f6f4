"""The exchange's pure parts: ticks, the identity of a question, refusals in words."""

import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from contracts.errors import InvalidInput
from contracts.request import RequestState
from contracts.task import Forwarded
from gateway.finish import last_tick, next_tick, release_name
from gateway.question import question_key, read_request
from gateway.store.engine import EPOCH
from gateway.store.requests import HeldRequest, _move
from tests import factories
from tests.factories import NOW
from tests.gateway_world import CONTRACT, forwarded

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("after", "seconds", "leaves"), [(0.0, 1.0, 0.0), (0.000001, 1.0, 1.0), (1.0, 1.0, 1.0), (0.3, 0.25, 0.5)]
)
def test_the_tick_is_the_first_one_that_is_not_past(after: float, seconds: float, leaves: float) -> None:
    moment = EPOCH + timedelta(days=20_000, seconds=after)

    assert next_tick(moment, seconds) == EPOCH + timedelta(days=20_000, seconds=leaves)


def test_what_is_told_is_as_of_the_last_tick() -> None:
    moment = EPOCH + timedelta(days=20_000, seconds=0.7)

    assert last_tick(moment, 0.25) == EPOCH + timedelta(days=20_000, seconds=0.5)
    assert last_tick(moment, 1.0) == EPOCH + timedelta(days=20_000)


def test_without_a_tick_everything_leaves_at_once() -> None:
    assert next_tick(NOW, 0) == last_tick(NOW, 0) == NOW


def test_a_question_is_the_same_whoever_asks_and_however_it_is_written() -> None:
    other = factories.contract(id="crimes_case", agency="rtp")
    both, turned = (CONTRACT, other), (other, CONTRACT)
    query = factories.query(measures=("damage_thb:sum", "count"), where={"province": ("50", "10")})
    same = factories.query(measures=("count", "damage_thb:sum"), where={"province": ("10", "50")})

    assert question_key(query, both, 5, {}) == question_key(same, turned, 5, {})
    assert question_key(query, both, 5, {}) != question_key(query, both, 6, {})
    assert question_key(query, both, 5, {}) != question_key(query, both[:1], 5, {})
    assert question_key(query, both, 5, {}) != question_key(factories.query(), both, 5, {})
    assert question_key(query, both, 5, {}) != question_key(query, both, 5, {"activity": "looked-at-each-time"})


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"id": 1}'])
def test_what_is_no_request_is_malformed(body: str) -> None:
    with pytest.raises(InvalidInput, match="malformed-body"):
        read_request(Forwarded(method="POST", path="/v1/requests", headers={}, body=body))


def test_a_request_is_read_as_it_was_signed() -> None:
    assert read_request(forwarded(factories.request())) == factories.request()


def test_a_release_is_named_after_its_request() -> None:
    assert release_name(f"sha-256:{'ab' * 32}") == f"rel-{'ab' * 16}"


def test_what_is_released_or_refused_stays_so() -> None:
    text = forwarded(factories.request()).model_dump_json()
    done = HeldRequest(
        id="REQ-1",
        digest="digest",
        agency="oja",
        question="question",
        text=text,
        state=RequestState.REFUSED,
        joined_to=None,
        release=None,
        repeated=False,
        problem=None,
        available_at=None,
    )

    with pytest.raises(ValueError, match="does not become"):
        _move(None, done, RequestState.RELEASED)  # type: ignore[arg-type]  # it must not get as far as the database


def test_the_hook_ends_the_process_at_its_point_and_nowhere_else() -> None:
    script = (
        "from gateway.crash import CrashPoint, kill_at\n"
        "hook = kill_at(CrashPoint.AFTER_PART)\n"
        "hook(CrashPoint.BEFORE_PART); print('still here', flush=True)\n"
        "hook(CrashPoint.AFTER_PART); print('never', flush=True)\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=60)

    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"still here\n")
