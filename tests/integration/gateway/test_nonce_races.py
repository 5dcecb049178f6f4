"""One signed message sent to several gateway processes at once is accepted once, and never again after a restart."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from contracts.errors import Refused
from contracts.transparency import EventKind
from tests import factories
from tests.gateway_world import World, forwarded

pytestmark = pytest.mark.integration

PROCESSES = 2
THREADS = 4
PROGRAM = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

from contracts.authorization import ActivityDetail
from contracts.errors import SaphanError
from contracts.task import Forwarded
from gateway.store.engine import Store
from tests import factories
from tests.gateway_world import AGREEMENT, World

given = json.loads(sys.stdin.readline())
world, signed = World(Store(given["url"]), factories.federation()), Forwarded.model_validate(given["signed"])
covered = (ActivityDetail.of(AGREEMENT.id, AGREEMENT.activities[0].id),)
caller = replace(world.caller(), nonce=given["nonce"], details=covered)
together = Barrier(given["threads"])

def submit(_):
    together.wait()
    try:
        return world.exchange.submit(caller, signed).state.value
    except SaphanError as error:
        return error.code

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(given["threads"]) as pool:
    print(json.dumps(list(pool.map(submit, range(given["threads"])))), flush=True)
"""


def started(given: dict[str, object]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    tell(process, json.dumps(given))
    return process


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_of_one_signed_message_sent_to_all_processes_at_once_exactly_one_is_accepted(
    world: World, store_url: str
) -> None:
    signed, caller = forwarded(factories.request()), world.caller()
    given = {"url": store_url, "signed": signed.model_dump(mode="json"), "nonce": caller.nonce, "threads": THREADS}
    processes = [started(given) for _ in range(PROCESSES)]
    assert [heard(each) for each in processes] == ["ready"] * PROCESSES
    for each in processes:
        tell(each, "go")

    outcomes = Counter(outcome for each in processes for outcome in json.loads(heard(each)))

    for each in processes:
        each.communicate(timeout=60)
    assert outcomes == {"waiting": 1, "request-replayed": PROCESSES * THREADS - 1}
    assert world.kinds().count(EventKind.DATA_REQUESTED) == 1
    assert len(world.lease()) == 1
    world.restart()
    with pytest.raises(Refused, match="request-replayed"):
        world.exchange.submit(caller, signed)
