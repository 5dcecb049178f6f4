"""The centre's feed: standing series asked span by span, and every answer that the gateway has of them.

    what is wanted - what was answered, lost or is out -> requests, all sent before any is waited for -> releases

What was answered is the gateway's to know: its list of releases names the months of each. So a centre that lost its
home finds every release again, asks nothing twice, and pays nothing for it. The home keeps only what the list cannot
tell: requests under way, months that are lost, revisions that were declared.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from contracts.agreement import Activity
from contracts.errors import SaphanError, Spent, Unavailable
from contracts.query import Query
from contracts.release import Release, ReleaseState
from contracts.request import Request
from contracts.views import AgreementView, PreviewCall, ReleaseSummary, RequestStatus
from gateway.centre.home import CentreHome, Out, Span
from gateway.centre.questions import StandingQuestion
from gateway.centre.windows import Pace, period_of, requests_for, wanted_months
from gateway.client import Result

TAKEN: Final = frozenset({"series-overlaps", "series-memory-lost"})
"""Refusals that no later request under the same revision can change."""

BUSY: Final = "series-busy"
"""Another request has reserved the same window and may yet return it: asked again once the others have ended."""

LATE: Final = frozenset({"waiting-for-agency", "gateway-unreachable"})
"""The request may still be answered: the very same one is sent again. Anything else is its end."""

Clock = Callable[[], datetime]


class Stage(StrEnum):
    """What the centre is doing."""

    ASK = "ask"
    READ = "read"
    FORECAST = "forecast"
    ANALYSES = "analyses"


class Step(NamedTuple):
    """How far a stage is: ``done`` of ``of`` pieces."""

    stage: Stage
    done: int
    of: int


Told = Callable[[Step], None]
"""Told how far a round is."""


def quietly(_: Step) -> None:
    """Tell nobody."""


Waiting = Callable[[RequestStatus], None]

log = logging.getLogger("saphan.centre")


class Line(Protocol):
    """What the feed needs of the gateway; ``gateway.client.Gateway`` is it."""

    def agreement(self, name: str) -> AgreementView:
        """One agreement."""
        ...

    def releases(self) -> tuple[ReleaseSummary, ...]:
        """The releases that may be read."""
        ...

    def release(self, name: str) -> Result:
        """One release, checked."""
        ...

    def question(self, agreement: str, activity: str, query: Query, *, contracts: Sequence[str] = ...) -> PreviewCall:
        """Put a question to an activity."""
        ...

    def request(self, call: PreviewCall) -> Request:
        """The question as it is signed."""
        ...

    def submit(self, request: Request) -> RequestStatus:
        """Send a request."""
        ...

    def wait(self, request: str, seconds: float = ..., progress: Waiting = ...) -> Result:
        """Wait for a release, and check it."""
        ...


@dataclass(frozen=True, slots=True)
class Fed:
    """What is known of one activity: its valid releases, oldest months first, and months that nobody has answered."""

    releases: tuple[Release, ...]
    gaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one round found out.

    ``problems`` has the errors of each activity of which something could not be had; ``skipped`` names the activities
    that the agreement lacks.
    """

    fed: dict[str, Fed]
    problems: dict[str, tuple[SaphanError, ...]]
    skipped: tuple[str, ...]

    def releases(self, *activities: str) -> tuple[Release, ...]:
        """The valid releases of these activities, of all of them if none is named."""
        return tuple(
            each for name, fed in self.fed.items() if not activities or name in activities for each in fed.releases
        )


@dataclass(slots=True)
class Feed:
    """One look at everything that the centre asks; made anew for each.

    Args:
        line: The line to the gateway.
        home: Where is kept what was sent.
        agreement: Under which it asks.
        wait_seconds: How long one answer is waited for.
        clock: The present, aware UTC.
        progress: Told for whom is waited.
        told: Told how far it is.
    """

    line: Line
    home: CentreHome
    agreement: str
    wait_seconds: float
    clock: Clock
    progress: Waiting
    told: Told = quietly
    _problems: dict[str, list[SaphanError]] = field(default_factory=dict)
    _busy: list[Span] = field(default_factory=list)

    def gather(self, questions: Sequence[StandingQuestion]) -> Gathered:
        """Ask what is not answered yet, wait, and read every answer.

        Raises:
            SaphanError: The agreement or the list of releases could not be had.
        """
        agreed = self.line.agreement(self.agreement).agreement
        covered = [(each, agreed.activity(each.activity)) for each in questions]
        asked = {question.activity: (question, activity) for question, activity in covered if activity is not None}
        held = self.line.releases()
        due = [span for question, _ in asked.values() for span in self._due(question, held)]
        if due:
            self._ask(due, asked)
            held = self.line.releases()
        return Gathered(
            fed={name: self._fed(question, held) for name, (question, _) in asked.items()},
            problems={name: tuple(errors) for name, errors in self._problems.items()},
            skipped=tuple(question.activity for question, activity in covered if activity is None),
        )

    def _ask(self, due: Sequence[Span], asked: Mapping[str, tuple[StandingQuestion, Activity]]) -> None:
        """Send everything before waiting for anything, and again what had to let others of its window go first."""
        while due:
            self._busy.clear()
            sent = [out for span in due for out in self._sent(*asked[span.activity], span)]
            for done, out in enumerate(sent):
                self.told(Step(Stage.ASK, done, len(sent)))
                self._await(out)
            self.told(Step(Stage.ASK, len(sent), len(sent)))
            if not sent:
                break
            due = tuple(self._busy)
        for span in self._busy:
            self._note(span, Unavailable(BUSY))

    def _due(self, question: StandingQuestion, held: Sequence[ReleaseSummary]) -> list[Span]:
        """The spans to send now: those under way, then what nobody has answered or lost."""
        kept = self.home.asked()
        out = [each.span for each in kept.out if each.span.activity == question.activity]
        lost = [each for each in kept.lost if each.activity == question.activity]
        wanted = {0: wanted_months(question.months, question.pace, self.clock())}
        for revision in (each.span for each in kept.revisions if each.span.activity == question.activity):
            wanted[revision.revision] = (*wanted.get(revision.revision, ()), *revision.period.months())
        due = list(out)
        for number, months in wanted.items():
            spans = [each for each in (*out, *lost) if each.revision == number]
            taken = {month for each in spans for month in each.period.months()} | told_months(question, held, number)
            periods = requests_for(sorted(set(months)), question.pace, taken)
            due += [Span(activity=question.activity, revision=number, period=each) for each in periods]
        return due

    def _sent(self, question: StandingQuestion, activity: Activity, span: Span) -> list[Out]:
        try:
            return [self._submit(question, activity, span)]
        except SaphanError as error:
            if error.code not in TAKEN:
                self._put_off(span, error)
                return []
        # Some months of it were asked before, and no release of them can be read. The others are asked month by month.
        months = span.period.months()
        if question.pace is not Pace.MONTH or len(months) == 1:
            self.home.settled(span, lost=True)
            return []
        parts = [span.model_copy(update={"period": period_of([month])}) for month in months]
        return [out for part in parts for out in self._sent(question, activity, part)]

    def _submit(self, question: StandingQuestion, activity: Activity, span: Span) -> Out:
        query = question.query(activity, span.period, span.revision)
        call = self.line.question(self.agreement, span.activity, query, contracts=(question.contract,))
        request = self._sent_before(span, call) or self.line.request(call)
        self.home.sending(span, request)
        try:
            self.line.submit(request)
        except SaphanError as error:
            self._settle(span, error)
            raise
        return Out(span=span, request=request)

    def _sent_before(self, span: Span, call: PreviewCall) -> Request | None:
        kept = self.home.out(span)
        if kept is None or not kept.is_deliverable(self.clock()):
            return None
        same = (kept.agreement, kept.contracts, kept.query) == (call.agreement, call.contracts, call.query)
        return kept if same else None

    def _await(self, out: Out) -> None:
        try:
            self.line.wait(out.request.id, self.wait_seconds, self.progress)
        except SaphanError as error:
            self._settle(out.span, error)
            self._note(out.span, error)
            return
        self.home.settled(out.span)

    def _settle(self, span: Span, error: SaphanError) -> None:
        """A refusal is final for its request; its months are lost if it was charged. Who is late is awaited again."""
        if error.code not in LATE:
            self.home.settled(span, lost=error.spent is Spent.CHARGED)

    def _put_off(self, span: Span, error: SaphanError) -> None:
        if error.code == BUSY:
            self._busy.append(span)
        else:
            self._note(span, error)

    def _note(self, span: Span, error: SaphanError) -> None:
        log.warning("%s %s: %s", span.activity, span.period.months()[0], error.code)
        self._problems.setdefault(span.activity, []).append(error)

    def _fed(self, question: StandingQuestion, held: Sequence[ReleaseSummary]) -> Fed:
        names = [each.id for each in held if question.is_answered_by(each) and _is_valid(each)]
        found = []
        for done, name in enumerate(names):
            self.told(Step(Stage.READ, done, len(names)))
            found += self._read(question, name)
        found.sort(key=lambda each: (each.body.query.period.start, each.body.created))
        told = {month for each in found for month in each.body.query.period.months()}
        wanted = wanted_months(question.months, question.pace, self.clock())
        periods = requests_for(wanted, question.pace)
        gaps = tuple(month for period in periods for month in period.months() if month not in told)
        return Fed(tuple(found), gaps)

    def _read(self, question: StandingQuestion, name: str) -> list[Release]:
        try:
            return [self.line.release(name).release]
        except SaphanError as error:
            log.warning("%s, release %s: %s", question.activity, name, error.code)
            self._problems.setdefault(question.activity, []).append(error)
            return []


def told_months(question: StandingQuestion, held: Sequence[ReleaseSummary], revision: int) -> set[str]:
    """The months that were answered under a revision, also by a release that was withdrawn since: they stay taken."""
    answers = (each for each in held if question.is_answered_by(each) and revision_of(each) == revision)
    return {month for each in answers for month in each.query.period.months()}


def revision_of(release: ReleaseSummary) -> int:
    """The revision of its series; 0 for a release of none."""
    return release.query.series.revision if release.query.series else 0


def _is_valid(release: ReleaseSummary) -> bool:
    return release.state is ReleaseState.VALID and not release.erased
