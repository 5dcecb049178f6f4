"""The client library: what it fetches is checked, what is refused is raised, what waits is told."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx2
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pytest
from pyarrow import parquet
from typing_extensions import override

from contracts.errors import IntegrityError, InvalidInput, Refused, SaphanError, Spent, Unavailable
from contracts.keys import new_key
from contracts.release import ReleaseState, Withdrawal
from contracts.views import RequestStatus
from gateway.asking import query_of
from gateway.audit_calls import audit_verify
from gateway.checked_release import check_release
from gateway.client import Gateway, Result
from gateway.released_table import MOST_SHEET_ROWS, write_xlsx
from tests import factories
from tests.api_world import ApiWorld, forecast_from, running
from tests.gateway_world import AGREEMENT, CONTRACT
from tests.lines import unread
from transport.proxied import ClientLine

pytestmark = pytest.mark.integration

PERIOD = ("2025-10-01", "2026-01-01")
QUERY = query_of(("count", "damage_thb:mean"), ("month", "province"), PERIOD, {"province": ("10", "50")})


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(tmp_path_factory.mktemp("gateway") / "home") as started:
        yield started


@pytest.fixture
def result(world: ApiWorld) -> Result:
    gateway = world.gateway()
    request = gateway.request(gateway.question(AGREEMENT.id, factories.ACTIVITY, QUERY, nano_rho=10_000_000))
    gateway.submit(request)
    world.answer()
    return gateway.wait(request.id, 1)


class Between(httpx2.BaseTransport):
    """Somebody between client and gateway who may change what passes."""

    def __init__(self, world: ApiWorld, change: Callable[[httpx2.Response], httpx2.Response]) -> None:
        self.world = world
        self.change = change

    @override
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        target = request.url.raw_path.decode()
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        answer = self.world.http.request(request.method, target, content=request.read(), headers=headers)
        return unread(self.change(httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)))


def through(world: ApiWorld, change: Callable[[httpx2.Response], httpx2.Response]) -> Gateway:
    line = ClientLine(httpx2.Client(base_url="http://testserver", transport=Between(world, change)))
    key = world.keys["oja#client-1"]
    return Gateway("", key, "oja", world.keys.federation, clock=lambda: world.now, line=line)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(SaphanError) as caught:
        act()
    return caught.value.code


def test_a_preview_tells_cost_and_error_before_spending(world: ApiWorld) -> None:
    gateway = world.gateway()
    call = gateway.question(AGREEMENT.id, factories.ACTIVITY, QUERY)
    preview = gateway.preview(call)
    assert preview.cells == 6
    assert {each.measure for each in preview.measures} >= {"count"}
    assert {line.spent for line in gateway.budget()} == {0}


def test_an_answer_becomes_a_frame_with_every_error_beside_its_figure(result: Result) -> None:
    frame = result.to_pandas()
    assert list(frame.columns)[:4] == ["month", "province", "count", "count_error_95"]
    assert {"damage_thb_mean", "damage_thb_mean_error_95"} <= set(frame.columns)
    assert len(frame) == 6
    assert (frame["count_error_95"] > 0).all()
    assert frame.attrs["release"] == result.release.body.id
    assert pd.api.types.is_integer_dtype(frame["count"])


def test_polars_and_arrow_hold_the_same_cells(result: Result) -> None:
    frame = result.to_polars()
    assert isinstance(frame, pl.DataFrame)
    assert frame["count"].to_list() == result.to_arrow()["count"].to_pylist() == result.to_pandas()["count"].to_list()


def test_a_result_shows_itself_with_its_error_and_its_release(result: Result) -> None:
    assert "±" in repr(result)
    assert result.release.body.id in result._repr_html_()
    assert "<table" in result._repr_html_()


def test_an_export_carries_the_release_along(result: Result, tmp_path: Path) -> None:
    for ending in ("csv", "parquet", "xlsx"):
        result.export(tmp_path / f"answer.{ending}")
    cells = result.to_pandas()["count"].to_list()
    assert pd.read_csv(tmp_path / "answer.csv")["count"].to_list() == cells
    table = parquet.read_table(tmp_path / "answer.parquet")
    assert table["count"].to_pylist() == cells
    assert table.schema.metadata[b"digest"].decode() == result.release.digest
    book = openpyxl.load_workbook(tmp_path / "answer.xlsx", read_only=True)
    assert [row[2] for row in book["figures"].iter_rows(min_row=2, values_only=True)] == cells
    assert ("digest", result.release.digest) in list(book["about"].iter_rows(values_only=True))
    book.close()


def test_another_format_is_refused_by_name(result: Result, tmp_path: Path) -> None:
    assert code_of(lambda: result.export(tmp_path / "answer.pdf")) == "unknown-format"


def test_a_refusal_is_raised_as_the_gateway_said_it(world: ApiWorld) -> None:
    gateway = world.gateway()
    call = gateway.question(AGREEMENT.id, factories.ACTIVITY, QUERY, nano_rho=200_000_000)
    with pytest.raises(Refused) as caught:
        gateway.ask(call)
    assert caught.value.code == "price-above-activity"
    assert caught.value.reasons[0].message_th


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda g: g.question(AGREEMENT.id, "no-such-activity", QUERY), "unknown-activity"),
        (lambda g: g.question(AGREEMENT.id, factories.ACTIVITY, QUERY, contracts=["nothing"]), "unknown-contract"),
        (lambda g: g.question(AGREEMENT.id, factories.ACTIVITY, QUERY, nano_rho=0), "price-not-positive"),
        (lambda g: g.question("AGR-NONE", factories.ACTIVITY, QUERY), "unknown-agreement"),
        (lambda g: g.release("REL-NONE"), "unknown-release"),
        (lambda g: g.latest_forecast(), "nothing-published"),
        (lambda g: query_of(("count",), (), ("soon", "later"), {}), "period-unclear"),
        (lambda g: query_of(("count",), (), ("2026-01-01", "2025-01-01"), {}), "period-unclear"),
        (lambda g: query_of(("everything",), (), PERIOD, {}), "malformed-body"),
    ],
)
def test_wrong_words_are_named(world: ApiWorld, ask: Callable[[Gateway], object], code: str) -> None:
    assert code_of(lambda: ask(world.gateway())) == code


def test_waiting_names_the_agency_and_loses_nothing(world: ApiWorld) -> None:
    gateway = world.gateway()
    seen: list[RequestStatus] = []
    call = gateway.question(AGREEMENT.id, factories.ACTIVITY, QUERY, contracts=[CONTRACT.id])
    with pytest.raises(Unavailable) as caught:
        gateway.ask(call, wait_seconds=0, progress=seen.append)
    assert (caught.value.code, caught.value.spent) == ("waiting-for-agency", Spent.RESERVED)
    assert "ccib" in caught.value.reasons[0].message_en
    assert seen[0].waiting_for == ("ccib",)
    world.answer()
    assert gateway.wait(seen[0].request, 1).release.body.request_id == seen[0].request


def test_a_connectors_refusal_reaches_the_requester(world: ApiWorld) -> None:
    gateway = world.gateway()
    request = gateway.request(gateway.question(AGREEMENT.id, factories.ACTIVITY, QUERY))
    gateway.submit(request)
    task = world.world.lease()[0].task
    world.world.post(world.world.refusal(task))
    world.later(3600)
    assert code_of(lambda: gateway.wait(request.id, 1)) == "contract-not-approved"


def test_the_same_question_costs_nothing_twice(world: ApiWorld, result: Result) -> None:
    gateway = world.gateway()
    before = gateway.budget()
    again = gateway.ask(gateway.question(AGREEMENT.id, factories.ACTIVITY, QUERY, nano_rho=10_000_000))
    assert again.release.body == result.release.body
    assert gateway.budget() == before


def test_a_withdrawn_release_says_so(world: ApiWorld, result: Result) -> None:
    name = result.release.body.id
    withdrawn = Withdrawal(release=name, state=ReleaseState.WITHDRAWN, reason="wrong code list")
    assert result.is_valid
    assert not world.gateway().withdraw(withdrawn).is_valid
    fetched = world.gateway().release(name)
    assert "WITHDRAWN" in repr(fetched)
    assert fetched.to_arrow().schema.metadata[b"state"] == b"withdrawn"


def test_the_registers_are_read(world: ApiWorld, result: Result) -> None:
    gateway = world.gateway()
    assert [each.reference.id for each in gateway.contracts()] == [CONTRACT.id]
    assert [each.id for each in gateway.releases()] == [result.release.body.id]


def test_a_public_release_is_read_and_checked_without_a_token(world: ApiWorld, result: Result) -> None:
    assert world.gateway().public_release(result.release.body.id).release.digest == result.release.digest
    assert code_of(lambda: world.gateway().public_release("REL-NONE")) == "unknown-release"


def test_the_log_is_verified_and_a_changed_entry_is_named(world: ApiWorld, result: Result) -> None:
    gateway = world.gateway()
    assert audit_verify(gateway) == len(world.world.log())

    def bend(answer: httpx2.Response) -> httpx2.Response:
        changed = answer.content.replace(b'"agency":"oja"', b'"agency":"rtp"')
        return httpx2.Response(answer.status_code, content=changed)

    with pytest.raises(IntegrityError) as caught:
        audit_verify(through(world, bend))
    assert caught.value.details["index"] == "1"


def test_an_expired_token_is_replaced_before_the_next_call(world: ApiWorld) -> None:
    gateway = world.gateway()
    gateway.budget()
    world.later(301)
    assert gateway.budget()


def test_a_token_that_the_gateway_no_longer_takes_is_renewed_once(world: ApiWorld) -> None:
    refused: list[int] = []

    def forget(answer: httpx2.Response) -> httpx2.Response:
        if refused or b"access_token" in answer.content:
            return answer
        refused.append(401)
        return httpx2.Response(401, content=b"{}")

    assert through(world, forget).budget()
    assert refused == [401]
    assert code_of(lambda: through(world, lambda a: httpx2.Response(401, content=a.content)).budget()) == (
        "unknown-answer"
    )


def test_a_forecast_is_published_under_the_client_key(world: ApiWorld, result: Result) -> None:
    forecast = forecast_from(result.release)
    assert world.gateway().publish_forecast(forecast).forecast == forecast
    assert world.gateway().latest_forecast().flagged == ()
    name = result.release.body.id
    world.gateway().withdraw(Withdrawal(release=name, state=ReleaseState.WITHDRAWN, reason="wrong code list"))
    assert world.gateway().latest_forecast().flagged == (name,)


def test_the_signature_or_receipt_of_another_release_is_not_taken_for_its_own(world: ApiWorld, result: Result) -> None:
    gateway, federation = world.gateway(), world.keys.federation
    request = gateway.request(gateway.question(AGREEMENT.id, factories.ACTIVITY, QUERY, nano_rho=20_000_000))
    gateway.submit(request)
    world.answer()
    other = gateway.wait(request.id, 1).release
    for field in ("signature", "receipt"):
        mixed = result.release.model_copy(update={field: getattr(other, field)})
        assert code_of(partial(check_release, mixed, federation)) == "release-altered"


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path: Path) -> None:
    table = pa.table({"count": pa.nulls(MOST_SHEET_ROWS, pa.int64())})
    assert code_of(lambda: write_xlsx(table, tmp_path / "answer.xlsx")) == "too-many-cells"


def test_an_unsigned_answer_is_not_believed(world: ApiWorld) -> None:
    def strip(answer: httpx2.Response) -> httpx2.Response:
        answer.headers.pop("signature", None)
        answer.headers.pop("signature-input", None)
        return answer

    assert code_of(lambda: through(world, strip).budget()) == "signature-missing"


def test_a_changed_answer_is_not_believed(world: ApiWorld) -> None:
    def inflate(answer: httpx2.Response) -> httpx2.Response:
        content = answer.content.replace(b'"spent":0', b'"spent":1')
        return httpx2.Response(answer.status_code, headers=answer.headers, content=content)

    assert code_of(lambda: through(world, inflate).budget()) == "signature-wrong"


@pytest.mark.parametrize("content", [b"", b"not json", b'{"access_token":""}'])
def test_an_answer_that_is_none_is_said_to_be_unknown(world: ApiWorld, content: bytes) -> None:
    def garble(answer: httpx2.Response) -> httpx2.Response:
        return httpx2.Response(200, content=content)

    assert code_of(lambda: through(world, garble).budget()) == "unknown-answer"
    assert code_of(lambda: through(world, garble).contracts()) == "unknown-answer"
    assert code_of(lambda: through(world, garble).releases()) == "unknown-answer"


def test_a_foreign_error_is_said_to_be_unknown(world: ApiWorld) -> None:
    assert code_of(lambda: through(world, lambda _: httpx2.Response(502, content=b"<html>")).contracts()) == (
        "unknown-answer"
    )


def test_a_gateway_that_is_not_there_is_said_to_be_unreachable(world: ApiWorld) -> None:
    with Gateway("http://127.0.0.1:9", world.keys["oja#client-1"], "oja", world.keys.federation) as gateway:
        assert code_of(gateway.contracts) == "gateway-unreachable"
        assert code_of(lambda: gateway.wait("REQ-0001", 0.6)) == "gateway-unreachable"


def test_a_release_that_was_bent_is_not_believed(world: ApiWorld, result: Result) -> None:
    release, federation = result.release, world.keys.federation
    check_release(release, federation)
    body = json.loads(release.body.model_dump_json(by_alias=True))
    body["released"][0]["cells"][0] += 1
    other = release.model_copy(update={"body": type(release.body).model_validate(body)})
    assert code_of(lambda: check_release(other, federation)) == "release-altered"
    unsigned = release.model_copy(update={"signature": "a.b.c"})
    assert code_of(lambda: check_release(unsigned, federation)) == "release-altered"
    assert release.receipt is not None
    moved = release.receipt.model_copy(update={"index": release.receipt.index - 1})
    assert code_of(lambda: check_release(release.model_copy(update={"receipt": moved}), federation)) == (
        "log-entry-changed"
    )
    check_release(release.model_copy(update={"receipt": None}), federation)


def test_an_invalid_price_is_refused_before_anything_is_sent(world: ApiWorld) -> None:
    with pytest.raises(InvalidInput):
        world.gateway().question(AGREEMENT.id, factories.ACTIVITY, QUERY, nano_rho=-1)


def test_a_line_that_stays_open_goes_by_newer_keys_once_it_is_given_them(world: ApiWorld) -> None:
    gateway, known = world.gateway(), world.keys.federation
    gateway.budget()
    operator = next(each for each in known.members if each.agency == "oja")
    keys = tuple(each.model_copy(update={"revoked": each.kid == "oja#gateway-1"}) for each in operator.keys)
    revoked = operator.model_copy(update={"keys": keys})
    members = tuple(revoked if each is operator else each for each in known.members)
    gateway.believe(known.model_copy(update={"members": members}), world.keys["oja#client-1"])
    with pytest.raises(SaphanError) as caught:
        gateway.budget()
    assert caught.value.code == "key-unknown"
    gateway.believe(known, world.keys["oja#client-1"])
    gateway.budget()


def test_a_line_that_stays_open_signs_with_the_key_that_it_is_given(world: ApiWorld) -> None:
    gateway = world.gateway()
    gateway.budget()
    gateway.believe(world.keys.federation, new_key("oja#client-9"))
    # Nobody knows that key: the gateway lets it do nothing.
    with pytest.raises(Refused):
        gateway.budget()
