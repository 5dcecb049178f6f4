"""What is printed where: tables for people, JSON for programs, errors in both languages."""

import io
import sys

import pytest
import typer
from rich.console import Console, Group
from rich.table import Table
from typing_extensions import override

from contracts.dataset import ProtectAt, Tier
from contracts.errors import InvalidInput, Refused, SaphanError, Spent, Unavailable
from contracts.grid import grid_of
from contracts.release import Derived, Promise, Release, ReleaseBody, Released, ReleaseState, Withdrawal
from contracts.request import RequestState
from contracts.task import Charge
from contracts.transparency import Receipt
from contracts.views import BudgetLine, Preview, PreviewMeasure, ReleaseSummary, RequestStatus
from gateway.client import Result
from saphan import output
from saphan.client_tables import (
    ROWS_SHOWN,
    preview_table,
    release_table,
    releases_table,
    value_table,
)
from saphan.release_tables import release_name, release_terms
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.unit

LINE = BudgetLine(source="ccib/tpo_complaint", window="FY2569", budget=100, spent=30, reserved=20)
DIGEST = f"sha-256:{'a' * 64}"


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


def text_of(table: Table) -> str:
    console = Console(file=io.StringIO(), width=160, color_system=None)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_caption_stays_one_line_below_a_narrow_table() -> None:
    table = output.table_of("n")
    output.captioned(table, "ε = 1.000, at δ = 1e-7")
    assert "ε = 1.000, at δ = 1e-7" in text_of(table)


def release(hours: int = 3, withdrawal: Withdrawal | None = None) -> Release:
    query = factories.query(dimensions=("hour",), where={"hour": tuple(f"{hour:02d}" for hour in range(hours))})
    if hours > 24:
        query = factories.query(dimensions=("month", "hour"))
    grid = grid_of(query, factories.contract())
    counts = Released(measure="count", unit="cases", cells=(7,) * grid.size, sigma=1.0, expected_error_95=2.0)
    mean = Derived(measure="damage_thb:mean", unit="THB", cells=(None,) * grid.size, errors_95=(None,) * grid.size)
    body = ReleaseBody(
        id="rel-0001",
        request_id="REQ-0001",
        request_digest=DIGEST,
        agreement="AGR-2569-001",
        agreement_digest=DIGEST,
        activity=factories.ACTIVITY,
        requester="oja",
        purpose="crime-prevention",
        tier=Tier.STATISTICS,
        public=True,
        query=query,
        grid=grid,
        released=(counts,),
        derived=(mean,),
        charges=(Charge(source="ccib/tpo_complaint", window="FY2569", nano_rho=1),),
        epsilon=0.5,
        delta="1e-6",
        promises=(
            Promise(
                contract=factories.contract().reference,
                person=factories.text("victim"),
                protect_at=ProtectAt.GATEWAY,
                rows_per_window=2,
                epsilon=0.5,
                delta="1e-6",
                data_version=1,
            ),
        ),
        parts=(DIGEST,),
        created=NOW,
    )
    return Release(body=body, digest=DIGEST, signature="a.b.c", withdrawal=withdrawal)


def test_people_at_a_terminal_see_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    output.show(LINE, lambda: value_table(LINE), as_json=False)
    output.show_all([LINE], lambda: value_table(LINE), as_json=False)
    assert shown.getvalue().count("FY2569") == 2
    assert "{" not in shown.getvalue()


def test_programs_see_json_at_a_terminal_too_if_they_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    output.show(LINE, Table, as_json=True)
    assert BudgetLine.model_validate_json(shown.getvalue()) == LINE


def test_a_pipe_gets_json_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_all([LINE, LINE], Table, as_json=False)
    assert capsys.readouterr().out.count('"FY2569"') == 2


def test_an_error_becomes_its_exit_code_and_tells_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, output.told_errors(of_question=True):
        raise Refused("budget-exceeded", spent=Spent.NOTHING, others=["agreement-expired"], source="ccib/tpo_complaint")
    assert caught.value.exit_code == 3
    told = capsys.readouterr()
    assert told.out == ""
    for wanted in ("budget-exceeded (1224)", "agreement-expired (1210)", "งบความเป็นส่วนตัว", "Ask at a lower price"):
        assert wanted in told.err
    assert "ไม่เสียงบ · no budget was spent" in told.err


@pytest.mark.parametrize(
    ("error", "of_question", "told"),
    [
        (InvalidInput("unknown-activity"), True, "ไม่เสียงบ · no budget was spent"),
        (InvalidInput("setting-invalid"), False, None),
        (Refused("people-order-refused"), False, None),
        # A question that was sent may have been taken before the line broke.
        (Unavailable("gateway-unreachable"), True, None),
        (Unavailable("unknown-answer"), True, None),
        (
            Unavailable("waiting-for-agency", spent=Spent.RESERVED),
            False,
            "งบถูกจองไว้ไม่เกินราคาของคำขอ · at most the request's price is reserved",
        ),
        (Refused("officer-refused", spent=Spent.CHARGED), False, "งบถูกใช้แล้ว · budget was spent"),
    ],
)
def test_what_was_spent_is_told_where_a_question_was_asked(
    capsys: pytest.CaptureFixture[str], error: SaphanError, told: str | None, *, of_question: bool
) -> None:
    with pytest.raises(typer.Exit), output.told_errors(of_question=of_question):
        raise error
    said = capsys.readouterr().err
    assert told in said if told else "งบ" not in said


def test_nothing_is_told_when_nothing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with output.told_errors():
        pass
    assert capsys.readouterr() == ("", "")


def test_waiting_is_told_once_for_each_change_and_never_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = RequestStatus(request="REQ-0001", state=RequestState.WAITING, waiting_for=("ccib", "rtp"))
    with output.waiting_shown() as progress:
        for status in (waiting, waiting, waiting.model_copy(update={"waiting_for": ()})):
            progress(status)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("waiting for CCIB, RTP") == 1
    assert "preparing the release" in told.err


def test_a_preview_shows_error_cost_and_what_is_left() -> None:
    measure = PreviewMeasure(measure="count", unit="cases", sigma=3.0, expected_error_95=5.9)
    preview = Preview(
        cells=9,
        nano_rho=50,
        epsilon=0.5,
        delta="1e-6",
        measures=(measure,),
        before=(LINE,),
        affordable=False,
        already_released="rel-0001",
    )
    shown = text_of(preview_table(preview))
    for wanted in ("5.9", "left in ccib/tpo_complaint FY2569", "NO", "rel-0001", "0.500"):
        assert wanted in shown


def test_a_release_shows_every_figure_with_its_error() -> None:
    shown = text_of(release_table(Result(release())))
    assert "7 ± 2" in shown
    assert "–" in shown
    assert "valid" in shown
    assert "…" not in shown


def test_a_long_release_is_cut_and_a_withdrawn_one_says_so() -> None:
    withdrawal = Withdrawal(release="rel-0001", state=ReleaseState.WITHDRAWN, reason="wrong code list")
    shown = text_of(release_table(Result(release(hours=25, withdrawal=withdrawal))))
    assert "NO LONGER VALID" in shown
    assert shown.count("7 ± 2") == ROWS_SHOWN
    assert "…" in shown


def test_lists_and_single_values_are_shown() -> None:
    body = release().body
    summary = ReleaseSummary(
        id=body.id,
        digest=DIGEST,
        requester="oja",
        agreement=body.agreement,
        activity=body.activity,
        purpose=body.purpose,
        public=True,
        contracts=(factories.contract().reference,),
        query=body.query,
        cells=3,
        charges=body.charges,
        created=NOW,
        state=ReleaseState.VALID,
    )
    assert "tpo_complaint" in text_of(releases_table([summary]))
    assert "FY2569" in text_of(value_table(LINE))


def test_the_name_of_a_release_is_one_unbroken_line() -> None:
    name = f"rel-{'0' * 60}"
    held = release()
    long = Result(held.model_copy(update={"body": held.body.model_copy(update={"id": name})}))
    console = Console(file=io.StringIO(), width=70, color_system=None)
    console.print(Group(release_name(long), release_table(long)))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines()[0].strip() == name


def test_the_terms_say_whom_a_release_protects_what_it_cost_and_where_it_stands_in_the_log() -> None:
    receipt = Receipt(index=41, entry="{}", path=(), checkpoint="a.b.c")
    held = release().model_copy(update={"receipt": receipt})
    shown = text_of(release_terms(Result(held, witnesses=("ccib", "rtp"))))
    assert "witnessed by nobody yet" in text_of(release_terms(Result(held)))
    for wanted in (
        "victim",
        "up to 2 rows a year; noise from the gateway",
        "ε = 0.500",
        "ccib/tpo_complaint FY2569: 1 nano-rho",
        "entry 41 of the log",
        "witnessed by 2: ccib, rtp",
        "oja, AGR-2569-001",
    ):
        assert wanted in shown
    assert "not protected" not in shown
    assert "NO LONGER VALID" not in shown


def test_the_terms_name_who_is_not_protected_and_why_a_release_was_withdrawn() -> None:
    held = release(withdrawal=Withdrawal(release="rel-0001", state=ReleaseState.WITHDRAWN, reason="wrong code list"))
    promise = held.body.promises[0].model_copy(update={"others": (factories.text("suspect"),), "row_is_person": True})
    body = held.body.model_copy(update={"promises": (promise,)})
    shown = text_of(release_terms(Result(held.model_copy(update={"body": body}))))
    assert "not protected: " in shown
    assert "suspect" in shown
    assert "each row counts as a person of its own" in shown
    assert "wrong code list" in shown
