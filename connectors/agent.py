"""The outbound-only agent: it leases tasks over one HTTP client, answers them in a few threads, and posts the parts.

Nothing calls it: it opens no port. While the gateway cannot be reached, or the data cannot be read, it waits longer and
longer and tries again; what was charged stands in the journal and is taken up at every turn and at every start. Each
poll is a heartbeat, too: it names what is being worked on, and the leases of that go on.
"""

import logging
import math
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import Event, Lock
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from connectors import notices
from connectors.answer import LAST_WORDS, Desk, answer, resume
from connectors.crash import CrashPoint, Hook, carry_on
from connectors.guard import Guard, read_lease
from connectors.journal import notices as kept
from connectors.journal.notices import OwnOrder
from connectors.orders import bring_orders
from connectors.pacing import Pace, Quiet, chance
from connectors.registry import Followed
from connectors.witness import Witness
from contracts.calls import SignedCalls
from contracts.canonical import canonical_bytes
from contracts.chain import sign_part
from contracts.errors import Problem, SaphanError, Unavailable, from_problem
from contracts.federation import Federation
from contracts.identifiers import Digest
from contracts.message_signatures import new_nonce
from contracts.protocol import SPOKEN, choose
from contracts.signature_base import Message
from contracts.task import Holding, Lease, LeaseCall, Part, Task
from contracts.values import Value
from contracts.views import PublishedContract, SignedText
from transport.line import Line

LEASE_PATH: Final = "/v1/tasks:lease"
CONTRACTS_PATH: Final = "/v1/contracts"
SUSPENSIONS_PATH: Final = "/v1/suspensions"
ANSWER_SECONDS: Final = 30.0
"""How long the gateway may take for an answer, beyond what a long poll asked it to wait."""

BUSY_WAIT_SECONDS: Final = 1
"""The longest poll while answers are being made, so that their failures are noticed soon."""

MOST_TASKS: Final = 16

log = logging.getLogger("saphan.connector")


@dataclass(slots=True)
class Channel:
    """The calls of a connector to its gateway; every answer that matters carries the gateway's signature.

    Args:
        line: The line to the gateway.
        calls: Tokens and signatures.
        guard: Checks the gateway's signatures.
        clock: Gives the time.
        at: Called at the crash points around each send.
        quiet: Until when the gateway asked, by ``Retry-After``, that nothing be sent.
        followed: The trust registry by which it is checked; none where the keys are fixed.
    """

    line: Line
    calls: SignedCalls
    guard: Guard
    clock: Callable[[], datetime]
    at: Hook = carry_on
    quiet: Quiet = field(default_factory=Quiet)
    followed: Followed | None = None
    _token: Lock = field(default_factory=Lock)

    def lease(self, call: LeaseCall) -> Lease:
        """Ask for work, waiting for it as long as the call says.

        Raises:
            Unavailable: ``gateway-unreachable``, ``gateway-asks-to-wait`` or ``unknown-answer``.
            Refused: ``connector-outdated`` or ``gateway-outdated``, when it is of a version not offered.
            SaphanError: What the gateway refused, or what is wrong with its signature.
        """
        self.at(CrashPoint.LEASE_BEFORE_SEND)
        answered = self._call("POST", LEASE_PATH, canonical_bytes(call), call.wait_seconds + ANSWER_SECONDS)
        self.at(CrashPoint.LEASE_AFTER_SEND)
        lease = read_lease(answered.body)
        choose(call.speaks, (lease.protocol,))
        return lease

    def post(self, part: Part, task: Task) -> None:
        """Post a part, signed as the answer to the task's forward.

        When this returns, the gateway has signed that it has it.

        Raises:
            SaphanError: As ``lease``; a code of ``LAST_WORDS`` only under the gateway's signature.
        """
        body = canonical_bytes(part)
        signed = sign_part(task, body, self.calls.key, self.clock(), new_nonce())
        self._call("POST", f"/v1/tasks/{part.task}/part", body, ANSWER_SECONDS, signed)

    def publish(self, contract: PublishedContract) -> None:
        """Publish a signed dataset contract.

        Raises:
            SaphanError: As ``lease``.
        """
        self._call("POST", CONTRACTS_PATH, canonical_bytes(contract), ANSWER_SECONDS)

    def retire(self, digest: str, document: SignedText) -> None:
        """Publish the signed retirement of a dataset contract.

        Raises:
            SaphanError: As ``lease``.
        """
        self._call("POST", f"{CONTRACTS_PATH}/{digest}/retirement", canonical_bytes(document), ANSWER_SECONDS)

    def send(self, path: str, value: Value) -> None:
        """Send a value that asks for nothing but to be taken.

        Raises:
            SaphanError: As ``lease``.
        """
        self._call("POST", path, canonical_bytes(value), ANSWER_SECONDS)

    def order(self, own: OwnOrder) -> None:
        """Bring the gateway an order to suspend or to lift that was given here.

        Raises:
            SaphanError: As ``lease``.
        """
        self.at(CrashPoint.ORDER_BEFORE_SEND)
        body = canonical_bytes(SignedText(document=own.document))
        self._call("POST", SUSPENSIONS_PATH, body, ANSWER_SECONDS)
        self.at(CrashPoint.ORDER_AFTER_SEND)

    def _call(
        self, method: str, path: str, body: bytes, seconds: float, more: Mapping[str, str] = MappingProxyType({})
    ) -> Message:
        if self.followed is not None:
            # Nothing leaves, and nothing is believed, under a registry that does not hold.
            self.followed.live.check(self.clock())
        if left := self.quiet.left(self.clock()):
            raise Unavailable("gateway-asks-to-wait", seconds=math.ceil(left.total_seconds()))
        with self._token:
            if self.calls.needs_token(self.clock()):
                self._obtain_token()
        message = self.calls.message(method, path, body, self.clock())
        if more:
            message = message.with_headers({**message.headers, **more})
        answered = self._send(message, seconds)
        if answered.status == HTTPStatus.UNAUTHORIZED:
            self.calls.forget_tokens()  # the next try obtains a new one
        problem = None if answered.status is None or answered.status < HTTPStatus.BAD_REQUEST else _problem(answered)
        if problem is not None and problem.code not in LAST_WORDS:
            raise problem
        # Only the gateway itself may say that a part arrived, or that it never will.
        self.guard.check_response(answered, self.clock())
        if problem is not None:
            raise problem
        return answered

    def _obtain_token(self) -> None:
        asked = self.calls.token_request(self.clock())
        self.at(CrashPoint.TOKEN_BEFORE_SEND)
        answered = self._send(asked, ANSWER_SECONDS)
        self.at(CrashPoint.TOKEN_AFTER_SEND)
        self.calls.accept_token(answered.body, self.clock())

    def _send(self, message: Message, seconds: float) -> Message:
        answered = self.line.send(message, seconds)
        self.quiet.read(answered.status or 0, answered.headers, self.clock())
        return answered


@dataclass(slots=True)
class _Trouble:
    failures: int
    not_before: datetime


@dataclass(slots=True)
class Agent:
    """The loop of one connector.

    Args:
        channel: The way to the gateway.
        desk: What answering needs.
        clock: Gives the time.
        pace: How fast.
        stop: Set from outside to end the loop after its turn.
        speaks: The versions of the protocol that this connector knows.
        chance: Gives a number of [0, 1), so that many connectors do not try again all at once.
        witness: Looks at the gateway's log; with a log that it cannot stand by, no work is done.
    """

    channel: Channel
    desk: Desk
    clock: Callable[[], datetime]
    pace: Pace = field(default_factory=Pace)
    stop: Event = field(default_factory=Event)
    speaks: tuple[int, ...] = SPOKEN
    chance: Callable[[], float] = chance
    witness: Witness | None = None
    _rest: Quiet = field(default_factory=Quiet)
    _attempts: dict[str, int] = field(default_factory=dict)
    _running: dict[str, Future[None]] = field(default_factory=dict)
    _troubles: dict[str, _Trouble] = field(default_factory=dict)
    _orders: dict[Digest, _Trouble] = field(default_factory=dict)
    _failed_leases: int = 0
    _is_polling: bool = False
    _signing: frozenset[str] | None = None

    def interrupt(self) -> None:
        """End the loop, from a signal's handler: a poll that only waits is broken off, anything else is finished.

        Raises:
            KeyboardInterrupt: Into the poll, which expects it; DuckDB would not.
        """
        self.stop.set()
        if self._is_polling:
            raise KeyboardInterrupt

    def run(self) -> None:
        """Take turns until told to stop; work that is under way is finished first."""
        notices.reconsider(self.desk.journal, self.desk.guard.federation, self.clock())
        with ThreadPoolExecutor(self.pace.workers, thread_name_prefix="answer") as pool:
            while not self.stop.is_set():
                self.turn(pool)
        self._collect()

    def turn(self, pool: ThreadPoolExecutor) -> None:
        """One turn: gather what ended, bring own orders, take up what the journal holds unfinished, then ask for more.

        While every worker is busy one of them is waited for. The gateway is still looked at each second, for notices
        alone: a suspension must not wait for an answer that takes long.
        """
        self._collect()
        if len(self._running) >= self.pace.workers:
            wait(self._running.values(), BUSY_WAIT_SECONDS, FIRST_COMPLETED)
            self._collect()
            if self.stop.is_set():
                return
        if not self._follow():
            return
        self._send_orders()
        is_sound = self.witness is None or self.witness.stands_by(self.desk.guard.federation, self._wait_after)
        if is_sound:
            self._take_up(pool)
        free, pause = self.pace.workers - len(self._running) if is_sound else 0, self._pause()
        if pause:
            # Short steps, so that what was made meanwhile is gathered and sent on.
            self.stop.wait(min(pause.total_seconds(), BUSY_WAIT_SECONDS))
        else:
            self._lease(pool, max(free, 0))

    def _follow(self) -> bool:
        """Go by the registry as it is now; while it cannot be relied upon, what is charged stays in the journal."""
        if self.channel.followed is None:
            return True
        try:
            federation = self.channel.followed.live.refresh(self.clock())
        except SaphanError as error:
            self._failed_leases += 1
            log.warning("no work by this registry: %s", error.code)
            self._wait_after(self._failed_leases)
            return False
        # A successor's time comes, or a predecessor's ends, without any change of the registry.
        signing = federation.signing(self.desk.guard.agency, self.clock())
        if federation != self.desk.guard.federation or signing != (self._signing or signing):
            self._adopt(self.channel.followed, federation)
        self._signing = signing
        return True

    def _adopt(self, followed: Followed, federation: Federation) -> None:
        """Check and sign by other keys from this turn on."""
        guard = followed.guard_of(federation)
        self.channel.guard, self.channel.calls = guard, followed.calls_of(federation)
        self.desk = replace(self.desk, guard=guard)
        notices.reconsider(self.desk.journal, federation, self.clock())
        log.info("the registry changed")

    def _pause(self) -> timedelta:
        """How long the gateway asked not to be polled."""
        now = self.clock()
        return max(self.channel.quiet.left(now), self._rest.left(now))

    def _send_orders(self) -> None:
        """Bring the gateway what was ordered here while it could not be reached; in force here it is already."""
        for order, code in bring_orders(self.desk.journal, self.channel.order, self._is_order_due).items():
            failures = self._orders[order].failures + 1 if order in self._orders else 1
            self._orders[order] = _Trouble(failures, self.clock() + self._delay(failures))
            log.warning("an order to suspend or lift is sent again later: %s", code)

    def _is_order_due(self, order: Digest) -> bool:
        trouble = self._orders.get(order)
        return trouble is None or trouble.not_before <= self.clock()

    def _take_up(self, pool: ThreadPoolExecutor) -> None:
        unfinished = self.desk.journal.unfinished_names()
        for task in self._troubles.keys() - unfinished - self._running.keys():
            del self._troubles[task]  # it was never charged: the gateway hands it out again
        due = {task for task in unfinished if task not in self._running and self._is_due(task)}
        # At nearly every turn what is unfinished is under way.
        for each in self.desk.journal.unfinished() if due else ():
            is_held_back = each.part is not None and self.desk.guard.holds_back(each.task)
            if each.task.id in due and not is_held_back and len(self._running) < self.pace.workers:
                due.remove(each.task.id)
                self._running[each.task.id] = pool.submit(resume, each, self.desk, self.clock)

    def _is_due(self, task: str) -> bool:
        trouble = self._troubles.get(task)
        return trouble is None or trouble.not_before <= self.clock()

    def _lease(self, pool: ThreadPoolExecutor, free: int) -> None:
        try:
            lease = self._poll(self._lease_call(free))
        except SaphanError as error:
            self._failed_leases += 1
            log.warning("no lease: %s", error.code)
            self._wait_after(self._failed_leases)
            return
        self._failed_leases = 0
        self._rest.ask(timedelta(seconds=lease.pause_seconds), self.clock())
        # What was heard is in force before any task that came along is looked at.
        notices.take(self.desk.journal, self.desk.guard.federation, lease.notices, self.clock())
        for lost in lease.lost:
            # What is being made is posted all the same: the first part that arrives counts, whoever made it.
            self._attempts.pop(lost, None)
            log.warning("the lease of task %s was lost", lost)
        for leased in lease.tasks:
            self._attempts[leased.task.id] = leased.attempt
            if leased.task.id not in self._running:
                self._running[leased.task.id] = pool.submit(answer, leased, self.desk, self.clock)

    def _lease_call(self, free: int) -> LeaseCall:
        waits = BUSY_WAIT_SECONDS if self._running or self._troubles else self.pace.wait_seconds
        held = ((task, self._attempts[task]) for task in self._running if task in self._attempts)
        return LeaseCall(
            agency=self.desk.guard.agency,
            data_versions=self.desk.data_versions(),
            wait_seconds=min(waits, self.pace.wait_seconds) if free else 0,
            most=min(free, MOST_TASKS),
            notices_after=kept.cursor(self.desk.journal),
            speaks=self.speaks,
            working=tuple(Holding(task=task, attempt=attempt) for task, attempt in held),
        )

    def _delay(self, failures: int) -> timedelta:
        return self.pace.delay(failures, self.chance())

    def _wait_after(self, failures: int) -> None:
        self.stop.wait(self._delay(failures).total_seconds())

    def _poll(self, call: LeaseCall) -> Lease:
        self._is_polling = True
        try:
            return self.channel.lease(call)
        except KeyboardInterrupt:
            return Lease(tasks=())
        finally:
            self._is_polling = False

    def _collect(self) -> None:
        """Note how ended answers ended. Errors are named by code or kind alone: their text could quote data."""
        for task, future in list(self._running.items()):
            if not future.done():
                continue
            del self._running[task]
            self._attempts.pop(task, None)
            error = future.exception()
            if error is None:
                self._troubles.pop(task, None)
            elif isinstance(error, Exception):
                self._note(task, error)
            else:
                raise error

    def _note(self, task: str, error: Exception) -> None:
        name = error.code if isinstance(error, SaphanError) else type(error).__name__
        failures = self._troubles[task].failures + 1 if task in self._troubles else 1
        log.warning("task %s is tried again later: %s", task, name)
        self._troubles[task] = _Trouble(failures, self.clock() + self._delay(failures))


def _problem(answered: Message) -> SaphanError:
    try:
        return from_problem(Problem.model_validate_json(answered.body))
    except ValidationError:
        return Unavailable("unknown-answer")
