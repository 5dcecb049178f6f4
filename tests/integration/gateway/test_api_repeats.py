"""Idempotency keys, entity tags and pages, over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.canonical import canonical_bytes
from contracts.errors import Unavailable
from contracts.signature_base import Message
from contracts.views import SignedText
from gateway.answers import every_page
from gateway.api.conditional import tag_of
from gateway.store.idempotency import KEPT_FOR
from tests import factories
from tests.api_world import ApiWorld, Member, problem_in, request, running, with_headers
from tests.gateway_world import CONTRACT

pytestmark = pytest.mark.integration

KEY = "retry-0001"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    with running(Path(tmp_path_factory.mktemp("api")) / "home") as up:
        yield up


@pytest.fixture
def oja(world: ApiWorld) -> Member:
    return world.member()


def asking(member: Member, name: str, key: str | None = KEY) -> Message:
    return with_headers(
        member.message("POST", "/v1/requests", canonical_bytes(request(id=name))), {"idempotency-key": key}
    )


def test_a_call_that_is_sent_again_under_its_key_gets_the_answer_that_it_got(world: ApiWorld, oja: Member) -> None:
    first = oja.checked(asking(oja, "REQ-KEY-1"))
    world.answer()
    again = oja.checked(asking(oja, "REQ-KEY-1"))
    without = oja.checked(asking(oja, "REQ-KEY-1", None))

    assert first.status_code == again.status_code == 202
    assert again.content == first.content
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert without.content != first.content


def test_a_key_stands_for_one_call_and_one_key_holder(oja: Member, world: ApiWorld) -> None:
    assert oja.checked(asking(oja, "REQ-KEY-2", "retry-0002")).status_code == 202

    problem = problem_in(oja.checked(asking(oja, "REQ-KEY-3", "retry-0002")))
    assert (problem.code, problem.status) == ("idempotency-key-reused", 422)
    other = world.member("ccib#connector-1")
    assert "idempotency-replayed" not in other.checked(asking(other, "REQ-KEY-2", "retry-0002")).headers


def test_a_kept_answer_still_needs_a_fresh_signature(oja: Member) -> None:
    call = asking(oja, "REQ-KEY-4", "retry-0004")
    assert oja.checked(call).status_code == 202

    assert problem_in(oja.checked(call)).code == "request-replayed"


def test_a_refusal_is_not_kept(oja: Member) -> None:
    wrong = canonical_bytes(request(id="REQ-KEY-5", purpose="marketing"))
    refused = with_headers(oja.message("POST", "/v1/requests", wrong), {"idempotency-key": "retry-0005"})
    assert problem_in(oja.checked(refused)).code == "purpose-not-agreed"

    assert oja.checked(asking(oja, "REQ-KEY-5", "retry-0005")).status_code == 202


def test_an_answer_is_kept_for_a_day(world: ApiWorld, oja: Member) -> None:
    assert oja.checked(asking(oja, "REQ-KEY-6", "retry-0006")).status_code == 202
    world.later(KEPT_FOR.total_seconds())

    late = oja.checked(asking(oja, "REQ-KEY-6", "retry-0006"))

    assert "idempotency-replayed" not in late.headers


@pytest.mark.parametrize("key", ["short", "x" * 65, "with space", "ก" * 8])
def test_a_key_has_a_plain_form(oja: Member, key: str) -> None:
    call = oja.message("POST", "/v1/requests", canonical_bytes(request(id="REQ-KEY-7")))
    encoded = [(name, value.encode()) for name, value in {**call.headers, "idempotency-key": key}.items()]
    answer = oja.world.http.request(
        "POST", call.path, content=call.body, headers=[(name.encode(), value) for name, value in encoded]
    )

    assert problem_in(answer).code == "malformed-body"


def test_what_was_read_is_not_sent_again(oja: Member, world: ApiWorld) -> None:
    path = f"/v1/contracts/{CONTRACT.digest}"
    read = world.http.get(path)
    tag = read.headers["etag"]

    assert tag == tag_of(read.content)
    unchanged = world.http.get(path, headers={"if-none-match": f'"other", W/{tag}'})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    assert world.http.get(path, headers={"if-none-match": '"other"'}).status_code == 200

    budget = oja.get("/v1/budget")
    again = oja.checked(with_headers(oja.message("GET", "/v1/budget"), {"if-none-match": budget.headers["etag"]}))
    assert (again.status_code, again.content) == (304, b"")


def test_a_long_list_comes_in_pages_that_the_client_puts_together(
    world: ApiWorld, oja: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        times = {"created": world.now, "deliver_until": world.now + timedelta(hours=1)}
        asked = factories.query(dimensions=("month",), where={"province": (("10",), ("50",), ("90",))[number]})
        assert (
            oja.post(
                "/v1/requests", request(id=f"REQ-PAGE-{number}", query=asked, nano_rho=1_000_000, **times)
            ).status_code
            == 202
        )
    world.answer()
    whole = [each.id for each in world.gateway().releases()]
    assert len(whole) >= 3

    first = oja.get("/v1/releases?limit=2")
    second = oja.get(first.headers["link"].partition(">")[0].removeprefix("<"))

    assert [each["id"] for each in first.json() + second.json()] == whole[:4]
    assert "link" not in oja.get(f"/v1/releases?limit={len(whole)}").headers
    assert problem_in(oja.get("/v1/releases?after=rel-unheard")).code == "malformed-body"
    assert problem_in(oja.get("/v1/releases?limit=0")).code == "malformed-body"
    monkeypatch.setattr("gateway.answers.PAGE", 2)
    assert [each.id for each in world.gateway().releases()] == whole


def test_a_gateway_that_gives_the_same_page_again_is_not_followed_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.answers.PAGE", 2)
    page = b'[{"document":"a"},{"document":"b"}]'

    with pytest.raises(Unavailable, match="unknown-answer"):
        every_page(SignedText, "/v1/x", lambda _: page, lambda each: each.document)
