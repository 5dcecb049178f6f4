"""``./run bench log``: what the log costs to write, to prove from and to verify.

Appends go through the gateway's own store, in durable transactions of 1,000 entries, and are compared with inserting
the same entries, in the same batches, by the same library into a table of their own of the same database; the two take
turns, so that a busy machine is busy for both. Proofs are made from the store at its full size. Verification is the
command ``saphan audit verify`` on an exported folder, from its start to its end.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from benchmarks.report import print_report
from contracts.canonical import canonical_bytes
from contracts.checkpoints import log_keys, sign_checkpoint
from contracts.dataset import Text as Words
from contracts.federation import Federation, KeyPurpose, Member
from contracts.keys import new_key
from contracts.merkle import is_consistent, is_included, leaf_hash
from contracts.merkle_tree import root
from contracts.task import Charge
from contracts.tiles import Tile, nodes_from
from contracts.transparency import Checkpoint, EventKind, LogEntry
from gateway.log_folder import LogFolder
from gateway.store import log
from gateway.store.engine import Store
from gateway.store.migrate import upgrade
from saphan.postgres import TemporaryPostgres

ENTRIES: Final = 1_000_000
BATCH: Final = 1000
APPENDED: Final = 100_000
"""How many entries each side of a comparison writes; the rest of the log is written without a comparison."""

SINGLE: Final = 2_000
WRITERS: Final = 16
PROOFS: Final = 200
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
raw_entries = Table(
    "benchmark_raw_entries",
    MetaData(),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", Text, nullable=False),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What the log costs.")
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures, ratios = measure(Path(folder), max(given.entries, BATCH))
    print_report("log", figures, ratios, as_json=given.json)


def measure(folder: Path, size: int) -> tuple[dict[str, float], dict[str, float]]:
    """Everything, over logs of ``size`` entries."""
    compared = min(size, APPENDED)
    with _sqlite(folder / "single.db") as store:
        alone = single(store)
    with _sqlite(folder / "gateway.db") as store:
        own, raw = race(store, compared)
        figures = {
            "entries": float(size),
            "entry_bytes": float(len(entry(0))),
            **alone,
            **_rates("sqlite", compared, own, raw),
        }
        ratios = {"append_sqlite": raw / own}
        extend(store, compared, size)
        figures |= proofs(store, size)
        figures["verify_seconds"] = verification(store, folder, size)
    with _postgres() as store:
        own, raw = race(store, compared)
        figures |= _rates("postgres", compared, own, raw)
        ratios["append_postgres"] = raw / own
    return figures, ratios


def entry(number: int) -> str:
    """An entry in canonical form, as the gateway writes it: a question, then its release, then the next question."""
    request, answers = f"req-{number // 2:024x}", number % 2 == 1
    facts = {
        "activity": "monthly-risk",
        "agencies": "ccib,rtp",
        "agreement": "AGR-2569-001",
        "agreement_digest": f"sha-256:{number:064x}",
        "contracts": f"sha-256:{number + 1:064x},sha-256:{number + 2:064x}",
        "nano_rho": "50000000",
        "purpose": "crime-prevention",
        "question": "count by month, province from 2025-10-01 until 2026-01-01",
        "tier": "statistics",
    }
    told = {"request": request, "release_digest": f"sha-256:{7:064x}"} if answers else {"policy": f"sha-256:{7:064x}"}
    seals = ("ccib", "rtp") if answers else ("client", "request")
    line = LogEntry(
        kind=EventKind.DATA_RELEASED if answers else EventKind.DATA_REQUESTED,
        at=START + timedelta(seconds=number),
        agency="oja",
        subject=f"REL-{number:024x}" if answers else request,
        facts=facts | told,
        charges=tuple(Charge(source=f"{each}/cases", window="FY2569", nano_rho=50_000_000) for each in seals[:answers]),
        commitments=dict.fromkeys(seals, f"sha-256:{number + 3:064x}"),
    )
    return canonical_bytes(line).decode()


def race(store: Store, count: int) -> tuple[float, float]:
    """The seconds of our appends and of plain inserts of the same entries, batch by batch in turn."""
    raw_entries.create(store.engine)
    own = raw = 0.0
    for start in range(0, count, BATCH):
        texts = [entry(number) for number in range(start, min(start + BATCH, count))]
        began = perf_counter()
        with store.transaction() as t:
            log.append_entries(t, texts)
        between = perf_counter()
        with store.transaction() as t:
            t.add(raw_entries, [{"place": place, "entry": text} for place, text in enumerate(texts, start)])
        ended = perf_counter()
        own, raw = own + between - began, raw + ended - between
    raw_entries.drop(store.engine)
    return own, raw


def extend(store: Store, start: int, size: int) -> None:
    """Let the log grow to its full size."""
    for first in range(start, size, BATCH):
        texts = [entry(number) for number in range(first, min(first + BATCH, size))]
        with store.transaction() as t:
            log.append_entries(t, texts)


def single(store: Store) -> dict[str, float]:
    """Appends of one entry for each transaction: how many a second by one writer, and by several who share commits."""

    def one(number: int) -> None:
        with store.transaction() as t:
            log.append_entries(t, [entry(number)])

    began = perf_counter()
    for number in range(SINGLE):
        one(number)
    between = perf_counter()
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(one, range(SINGLE, 2 * SINGLE)))
    ended = perf_counter()
    return {
        "single_by_one_writer_per_second": SINGLE / (between - began),
        f"single_by_{WRITERS}_writers_per_second": SINGLE / (ended - between),
    }


def proofs(store: Store, size: int) -> dict[str, float]:
    """The median milliseconds of a proof of inclusion, and of growth, each made from the store and then verified."""
    with store.read() as r:
        head = bytes.fromhex(log.head(r).root)
        nodes = nodes_from(size, lambda tile: log.tile(r, tile) or b"")
        places = [place * (size - 1) // max(PROOFS - 1, 1) for place in range(PROOFS)]
        olds = [root(place, nodes) for place in places]
    inclusion, consistency = [], []
    for place, old in zip(places, olds, strict=True):
        began = perf_counter()
        with store.read() as r:
            # Under a name of its own, so that no tile is remembered from the proof before.
            included = log.path(r, place, size, f"proof {place}")
        between = perf_counter()
        with store.read() as r:
            grown = log.growth_path(r, place, size)
        ended = perf_counter()
        inclusion.append(between - began)
        consistency.append(ended - between)
        leaf = leaf_hash(entry(place).encode())
        if not is_included(leaf, place, size, [bytes.fromhex(each) for each in included], head):
            raise ValueError("the proof of inclusion is wrong")
        if place and not is_consistent(place, old, size, head, [bytes.fromhex(each) for each in grown]):
            raise ValueError("the proof of growth is wrong")
    return {"inclusion_ms": median(inclusion) * 1000, "consistency_ms": median(consistency) * 1000}


def verification(store: Store, folder: Path, size: int) -> float:
    """The seconds of ``saphan audit verify`` on the exported log."""
    key = new_key("oja#log-1")
    public = key.public_key(KeyPurpose.LOG, START, START + timedelta(days=3650))
    operator = Member(agency="oja", title=Words(th="ผู้ดูแล", en="operator"), keys=(public,))
    federation = Federation(gateway="https://gateway.example", operator="oja", members=(operator,))
    home, export = folder / "home", folder / "export"
    home.mkdir()
    (home / "federation.json").write_text(federation.model_dump_json(), encoding="utf-8")
    (home / "saphan.toml").write_text('agency = "oja"\ngateway = "https://gateway.example"\n', encoding="utf-8")
    with store.read() as r:
        head = log.head(r)
        claim = Checkpoint(origin="gateway.example", size=head.size, root=head.root)

        def fetch(tile: Tile) -> bytes:
            return log.tile(r, tile) or b""

        export.mkdir()
        LogFolder(export).take(sign_checkpoint(claim, key), fetch, log_keys(federation), federation)
    command = [sys.executable, "-m", "saphan", "audit", "verify", str(export), "--home", str(home), "--json"]
    began = perf_counter()
    found = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # our own command
    seconds = perf_counter() - began
    if f'"size":{size}' not in found.stdout:
        raise ValueError("the verified log has another size")
    shutil.rmtree(export)
    return seconds


def _rates(name: str, count: int, own: float, raw: float) -> dict[str, float]:
    return {f"append_{name}_per_second": count / own, f"insert_{name}_per_second": count / raw}


@contextmanager
def _sqlite(path: Path) -> Iterator[Store]:
    yield from _opened(f"sqlite:///{path}")


@contextmanager
def _postgres() -> Iterator[Store]:
    server = TemporaryPostgres(durable=True)
    try:
        yield from _opened(server.start())
    finally:
        server.stop()


def _opened(url: str) -> Iterator[Store]:
    upgrade(url)
    store = Store(url)
    try:
        yield store
    finally:
        store.close()


if __name__ == "__main__":
    main()
