"""Cosignatures at the gateway: gathered from the agencies, shown with checkpoints and receipts, never made."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from connectors.journal import witness as kept
from connectors.journal.book import Journal
from connectors.witness import Witness
from contracts.checkpoints import cosign, cosigned, log_keys, read_checkpoint, sign_checkpoint
from contracts.errors import IntegrityError
from contracts.federation import KeyPurpose
from contracts.keys import new_key
from contracts.merkle import read_entry, verify_receipt
from contracts.tiles import Tile, read_path
from contracts.transparency import Cosignature
from gateway import receipts
from gateway.audit_calls import awaited_checkpoint
from gateway.home import PURPOSES as GATEWAY_PURPOSES
from gateway.log_folder import majority
from gateway.means import Means
from gateway.store import log
from tests import factories
from tests.api_world import ApiWorld, problem_in, request
from tests.fake_log import entries
from tests.lines import line_into

pytestmark = pytest.mark.integration

PURPOSES = {
    agency: (*purposes, KeyPurpose.WITNESS) if agency in {"ccib", "rtp"} else purposes
    for agency, purposes in factories.PURPOSES_OF.items()
}
PATH = "/v1/log/cosignatures"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorld]:
    made = ApiWorld(tmp_path / "home", factories.federation(PURPOSES))
    with made.http:
        yield made


def grow(world: ApiWorld, count: int, agency: str = "oja") -> None:
    """Let the log grow by entries of an agency."""
    with world.desk.exchange.means.store.transaction() as t:
        log.append_entries(t, [each.decode() for each in entries(count, agency)])


def shown(world: ApiWorld) -> str:
    return world.http.get("/checkpoint").text


def hand_in(world: ApiWorld, agency: str, document: str, size: int | None = None, kid: str | None = None) -> int:
    line = cosign(document, world.keys[f"{agency}#witness-1"], world.now)
    given = Cosignature(size=read_checkpoint(document).size if size is None else size, line=line)
    return world.member(kid or f"{agency}#connector-1").post(PATH, given).status_code


def witnesses(world: ApiWorld, document: str) -> list[str]:
    return [each.agency for each in cosigned(document, log_keys(world.keys.federation, world.now))]


def test_the_checkpoint_carries_the_cosignatures_that_came(world: ApiWorld) -> None:
    document = shown(world)
    assert witnesses(world, document) == []

    assert hand_in(world, "ccib", document) == 204
    assert witnesses(world, shown(world)) == ["ccib"]
    assert hand_in(world, "rtp", document) == 204
    assert hand_in(world, "rtp", document) == 204
    assert witnesses(world, shown(world)) == ["ccib", "rtp"]


def test_all_witnesses_meet_the_same_checkpoint_while_the_log_grows(world: ApiWorld) -> None:
    first = shown(world)
    grow(world, 3)
    assert read_checkpoint(shown(world)) == read_checkpoint(first)

    hand_in(world, "ccib", first)
    assert read_checkpoint(shown(world)) == read_checkpoint(first)
    hand_in(world, "rtp", first)
    second = shown(world)
    assert read_checkpoint(second).size == 4

    grow(world, 1)
    world.later(39)
    assert read_checkpoint(shown(world)).size == 4
    world.later(1)
    assert read_checkpoint(shown(world)).size == 5


def test_a_receipt_stands_under_the_checkpoint_that_most_agencies_cosigned(world: ApiWorld) -> None:
    means = world.desk.exchange.means
    first = shown(world)
    grow(world, 3)
    for agency in ("ccib", "rtp"):
        hand_in(world, agency, first)
    newer = receipts.receipt(means, 2)
    older = receipts.receipt(means, 0)

    assert witnesses(world, older.checkpoint) == ["ccib", "rtp"]
    assert witnesses(world, newer.checkpoint) == []
    second = shown(world)
    hand_in(world, "rtp", second)
    assert witnesses(world, receipts.receipt(means, 2).checkpoint) == ["rtp"]


def revoked(world: ApiWorld, *kids: str) -> Means:
    """The gateway after these keys were revoked, with a second key of the log."""
    means, new = world.desk.exchange.means, new_key("oja#log-2")
    public = new.public_key(KeyPurpose.LOG, world.now - timedelta(days=1), world.now + timedelta(days=100))
    members = tuple(
        each.model_copy(
            update={
                "keys": (
                    *(key.model_copy(update={"revoked": key.kid in kids}) for key in each.keys),
                    *([public] if each.agency == "oja" else []),
                )
            }
        )
        for each in means.federation.members
    )
    keys = replace(means.keys, log=new)
    return replace(means, keys=keys, federation=means.federation.model_copy(update={"members": members}))


def test_a_receipt_of_what_was_released_before_outlives_the_log_s_key(world: ApiWorld) -> None:
    document = shown(world)
    hand_in(world, "ccib", document)
    means = revoked(world, "oja#log-1")

    receipt = receipts.receipt(means, 0)

    keys = log_keys(means.federation, world.now)
    assert verify_receipt(receipt, keys) == read_entry(receipt.entry, 0)
    assert read_checkpoint(receipt.checkpoint) == read_checkpoint(document)
    assert [each.agency for each in cosigned(receipt.checkpoint, keys)] == ["ccib"]


def test_a_witness_whose_key_was_revoked_recommends_no_checkpoint(world: ApiWorld) -> None:
    hand_in(world, "ccib", shown(world))
    grow(world, 3)
    world.later(40)
    hand_in(world, "rtp", shown(world))
    means = world.desk.exchange.means
    world.later(40)
    grow(world, 1)
    hand_in(world, "ccib", shown(world))

    assert read_checkpoint(receipts.receipt(means, 0).checkpoint).size == 5
    assert read_checkpoint(receipts.receipt(revoked(world, "ccib#witness-1"), 0).checkpoint).size == 4


def test_a_receipt_stands_under_what_witnesses_are_shown_as_soon_as_that_covers_it(world: ApiWorld) -> None:
    means = world.desk.exchange.means
    assert receipts.receipt(means, 0).checkpoint == shown(world)
    grow(world, 1)
    early = receipts.receipt(means, 1)
    assert read_checkpoint(shown(world)).size == 1
    assert read_checkpoint(early.checkpoint).size == 2

    grow(world, 1)
    world.later(40)
    assert receipts.receipt(means, 1).checkpoint == shown(world)
    assert read_checkpoint(shown(world)).size == 3


def test_who_fetches_a_release_learns_who_stands_by_its_receipt(world: ApiWorld) -> None:
    gateway = world.gateway()
    gateway.submit(request())
    world.answer()
    name = str(gateway.wait(request().id, 0).release.body.id)
    assert gateway.release(name).witnesses == ()
    world.later(60)
    hand_in(world, "ccib", shown(world))

    assert gateway.release(name).witnesses == ("ccib",)


def test_who_has_set_a_quorum_takes_no_release_under_a_checkpoint_that_only_the_gateway_stands_by(
    world: ApiWorld,
) -> None:
    gateway = world.gateway(quorum=1)
    gateway.submit(request())
    world.answer()
    with pytest.raises(IntegrityError) as caught:
        gateway.wait(request().id, 0)
    assert caught.value.code == "log-quorum-missing"

    world.later(60)
    hand_in(world, "ccib", shown(world))
    assert gateway.wait(request().id, 0).witnesses == ("ccib",)


def test_an_auditor_waits_for_the_agencies_before_he_verifies(world: ApiWorld) -> None:
    gateway = world.gateway()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            hand_in(world, "ccib", shown(world))

    assert majority(world.keys.federation, world.now) == 2
    assert witnesses(world, awaited_checkpoint(gateway, 0, 60, sleep)) == []
    assert witnesses(world, awaited_checkpoint(gateway, 1, 60, sleep)) == ["ccib"]
    assert len(slept) == 2
    assert witnesses(world, awaited_checkpoint(gateway, 2, 3, sleep)) == ["ccib"]
    assert len(slept) == 5


@pytest.mark.parametrize("kid", ["rtp#connector-1", "dop#connector-1"])
def test_no_agency_hands_in_for_another(world: ApiWorld, kid: str) -> None:
    document = shown(world)
    line = cosign(document, world.keys["ccib#witness-1"], world.now)

    problem = problem_in(world.member(kid).post(PATH, Cosignature(size=1, line=line)))

    assert problem.code == "cosignature-wrong"
    assert witnesses(world, shown(world)) == []


def test_only_a_connector_hands_in(world: ApiWorld) -> None:
    line = cosign(shown(world), world.keys["ccib#witness-1"], world.now)

    assert problem_in(world.member("oja#client-1").post(PATH, Cosignature(size=1, line=line))).code == "not-allowed"


def test_a_checkpoint_that_was_never_shown_is_not_cosigned(world: ApiWorld) -> None:
    shown(world)
    grow(world, 3)
    signed = receipts.checkpoint(world.desk.exchange.means).document
    other = sign_checkpoint(read_checkpoint(signed).model_copy(update={"root": "0" * 64}), world.keys["oja#log-1"])

    assert hand_in(world, "ccib", signed) == 403
    world.later(40)
    shown(world)
    assert hand_in(world, "ccib", signed, size=99) == 403
    assert hand_in(world, "ccib", other, size=4) == 403
    assert hand_in(world, "ccib", signed) == 204


@pytest.mark.parametrize("line", ["", "no line\n", "\u2014 gateway.example/witness/ccib AAAAAAAA\n"])
def test_what_is_no_cosignature_is_refused(world: ApiWorld, line: str) -> None:
    shown(world)
    problem = problem_in(world.member("ccib#connector-1").post(PATH, Cosignature(size=1, line=line)))

    assert problem.code == "cosignature-wrong"


def test_the_gateway_holds_no_key_that_could_cosign(world: ApiWorld) -> None:
    held = {path.name for path in (world.home / "keys").iterdir()}

    assert KeyPurpose.WITNESS not in GATEWAY_PURPOSES
    assert not any("witness" in name for name in held)
    own = cosign(shown(world), world.keys["oja#log-1"], world.now).replace("witness/oja", "witness/ccib")
    assert witnesses(world, shown(world) + own) == []


# ------------------------------------------------------------------ tiles over HTTP
@pytest.mark.parametrize("size", [1, 300])
def test_tiles_and_bundles_are_served_for_good_and_the_checkpoint_never_from_a_cache(
    world: ApiWorld, size: int
) -> None:
    grow(world, size - 1)
    width = size % 256
    answer = world.http.get(f"/tile/0/{size // 256:03d}.p/{width}")
    bundle = world.http.get(f"/tile/entries/{size // 256:03d}.p/{width}")

    assert (answer.headers["content-type"], len(answer.content)) == ("application/octet-stream", 32 * width)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable" == bundle.headers["cache-control"]
    checkpoint = world.http.get("/checkpoint")
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    assert checkpoint.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["tile/0/000", "tile/0/000.p/2", "tile/1/000.p/1", "tile/entries/001.p/1", "tile/0/0", "tile/64/000", "tile/"],
)
def test_a_tile_beyond_the_log_is_not_there(world: ApiWorld, path: str) -> None:
    answer = world.http.get(f"/{path}")

    assert problem_in(answer).code == "unknown-address"
    assert answer.status_code == 404


def test_a_partial_tile_is_still_served_when_the_tile_is_full(world: ApiWorld) -> None:
    grow(world, 255)
    full = world.http.get("/tile/0/000").content

    assert len(full) == 8192
    assert world.http.get("/tile/0/000.p/7").content == full[: 7 * 32]
    assert read_path("tile/0/000.p/7") == Tile(0, 0, 7)


# ------------------------------------------------------------------ a real gateway that went back
def back_up(world: ApiWorld, to: Path) -> None:
    with closing(sqlite3.connect(world.home / "gateway.db")) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


def restore(world: ApiWorld, source: Path) -> None:
    world.desk.exchange.means.store.close()
    for name in ("gateway.db", "gateway.db-wal", "gateway.db-shm"):
        (world.home / name).unlink(missing_ok=True)
    shutil.copy(source, world.home / "gateway.db")


def test_a_gateway_restored_from_an_old_backup_is_stood_up_to(world: ApiWorld, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    member = world.member("ccib#connector-1")

    def send(path: str, given: Cosignature) -> None:
        assert member.post(path, given).status_code == 204

    def show(call: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=world.http.get(call.url.path).content)

    line = line_into(show)
    witness = Witness(line, journal, lambda _: world.keys["ccib#witness-1"], send, lambda: world.now, timedelta(0))
    federation = world.keys.federation
    witness.look(federation)
    backup = tmp_path / "backup.db"
    back_up(world, backup)
    grow(world, 300)
    world.later(60)
    witness.look(federation)
    assert witnesses(world, shown(world)) == ["ccib"]

    restore(world, backup)
    grow(world, 400, "rtp")
    world.later(60)
    with pytest.raises(IntegrityError) as caught:
        witness.look(federation)

    (found,) = kept.evidence(journal)
    before, after = read_checkpoint(found.seen), read_checkpoint(found.shown)
    assert caught.value.code == "log-forked"
    assert (before.size, after.size) == (301, 401)
    journal.close()


def test_a_witness_whose_key_is_revoked_is_not_counted_any_more(world: ApiWorld) -> None:
    means = world.desk.exchange.means
    first = shown(world)
    grow(world, 3)
    hand_in(world, "ccib", first)
    hand_in(world, "rtp", first)
    second = shown(world)
    hand_in(world, "rtp", second)
    for _ in range(2):
        assert receipts.receipt(means, 0).checkpoint.startswith(first)

    assert receipts.receipt(revoked(world, "ccib#witness-1"), 0).checkpoint.startswith(second)
    assert receipts.receipt(means, 0).checkpoint.startswith(first)
