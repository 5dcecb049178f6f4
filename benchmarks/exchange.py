"""CPU of a brokered small request beside its floor, and of a token beside its signatures: ``./run bench exchange``.

    ./run bench exchange [--json] [--requests N] [--only brokered|token]

A brokered request goes from the client's signature to the release that it has verified, through a gateway and one
connector, with tokens cached. The gateway and the connector are processes of their own, the requester is this one; the
CPU time of all three is the cost. Several requests are out at a time: what the programs do anyway, at each tick and in
each long poll, is shared by those that wait, as it is with a gateway that has work.

The floor is what the protocol cannot do without: a tracer in each program counts every raw signature and verification,
every HTTP hop and every durable transaction of further requests, after those that were timed, and each is then timed
bare in the same run. A bare transaction has as many inserts as the counted ones wrote with, of as many bytes, by the
same driver.

Beside it stands what the protocol needs of Cedar, DuckDB, OpenDP and pydantic; none of that is in the floor. So does
what signatures and verifications take where they happen: the floor repeats each with everything in the processor's
caches, the programs wait and do other work in between.

A token is asked of the whole application in process; its floor is its raw signatures alone, performed right after
the tokens; the ratio is theirs to all.
"""

import argparse
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from benchmarks import exchange_floor
from benchmarks.exchange_beyond import beyond
from benchmarks.exchange_programs import Programs, programs_of
from benchmarks.exchange_token import token_endpoint
from benchmarks.federation import AGREEMENT, REQUESTER, Agency, Running, running
from benchmarks.report import print_report
from contracts.release import Release
from contracts.request import Request
from gateway.asking import query_of
from gateway.client import Gateway, Result

ROWS = 5_000
WARM_UP = 20
TICK_SECONDS = 0.25
IN_FLIGHT = 30
COUNTED = 20
TOKENS = 20
FIXED = {
    "station": "S1",
    "channel": "TPO",
    "case_type": "SHOP",
    "platform": "FACEBOOK",
    "victim_age": 30,
    "victim_sex": "F",
    "damage_thb": 1000,
    "linked": 0,
    "stage": "COMPLAINT",
    "crimes_ref": None,
}
BOTH = ("brokered", "token")
CRYPTO = ("sign", "verify", "note_check")
Figures = dict[str, float]


def main() -> None:
    """Run the benchmark and print both sides."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--requests", type=int, default=150)
    parser.add_argument("--only", choices=BOTH)
    options = parser.parse_args()
    figures: Figures = {}
    ratios: Figures = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        agency = Agency("ccib", f"sqlite:///{_source(folder / 'source.db')}", "tpo_complaint")
        # A price of ten nano-rho leaves room for every question in one year's budget.
        with running(folder / "federation", [agency], nano_rho=10, tick_seconds=TICK_SECONDS) as federation:
            prepared = list(islice(_requests(federation), WARM_UP + options.requests + COUNTED))
        if options.only != "token":
            costs, counted, released = _brokered(folder / "federation" / "gateway", federation, prepared)
            told = _against_floor(sum(costs.values()), counted, folder)
            shares = {f"{name}_ms": seconds * 1e3 for name, seconds in costs.items()}
            figures |= {"requests": options.requests, "in_flight": IN_FLIGHT, **shares, **told}
            figures |= {
                f"beyond_{name}_ms": seconds * 1e3
                for name, seconds in beyond(federation, prepared[-1], released).items()
            }
            ratios["brokered_vs_floor"] = told["brokered_ms"] / told["floor_ms"]
        if options.only != "brokered":
            cost = token_endpoint(folder / "federation" / "gateway", federation, TOKENS)
            figures |= {"token_us": cost.seconds * 1e6, "token_crypto_us": cost.raw_seconds * 1e6}
            figures |= {"token_signs": cost.signs, "token_verifys": cost.verifies}
            ratios["token_vs_crypto"] = cost.raw_seconds / cost.seconds
    print_report("exchange", figures, ratios, as_json=options.json)


def _against_floor(seconds: float, counted: Counter[str], folder: Path) -> Figures:
    """What one request costs, and the parts of its floor."""
    transactions = max(counted["transaction"], 1)
    rows, size = round(counted["row"] / transactions), round(counted["byte"] / max(counted["row"], 1))
    bare = {
        "sign": exchange_floor.signature(),
        "verify": exchange_floor.verification(),
        "note_check": exchange_floor.note_check(),
        "hop": exchange_floor.hop(),
        "transaction": exchange_floor.transaction(folder / "bare.db", rows, size),
    }
    per_request = {name: counted[name] / COUNTED for name in bare}
    parts = {name: per_request[name] * bare[name] for name in bare}
    in_place = {name: counted[f"{name}_ns"] / COUNTED / 1e6 for name in CRYPTO}
    return {
        "brokered_ms": seconds * 1e3,
        "floor_ms": sum(parts.values()) * 1e3,
        **{f"{name}s_per_request": per_request[name] for name in bare},
        "writes_per_transaction": rows,
        "bytes_per_write": size,
        **{f"bare_{name}_us": bare[name] * 1e6 for name in bare},
        **{f"floor_{name}_ms": parts[name] * 1e3 for name in bare},
        **{f"in_place_{name}_ms": milliseconds for name, milliseconds in in_place.items()},
    }


def _source(path: Path) -> Path:
    columns = ("case_ref", "victim_id", "reported_at", "occurred_at", "province", *FIXED)
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE tpo_complaint ({', '.join(columns)})")
        rows = [
            (f"c{i}", f"v{i}", f"2025-{1 + i % 12:02d}-05 10:00:00", None, ("10", "50", "90")[i % 3], *FIXED.values())
            for i in range(ROWS)
        ]
        connection.executemany(f"INSERT INTO tpo_complaint VALUES ({', '.join('?' * len(columns))})", rows)  # noqa: S608  # marks and names of our own
    connection.close()
    return path


def _brokered(gateway: Path, federation: Running, prepared: Sequence[Request]) -> tuple[Figures, Counter[str], Release]:
    """CPU seconds of one request in each program, how many raw operations ``COUNTED`` more performed, and a release."""
    counted: Counter[str] = Counter()
    homes = {name: home.path for name, home in federation.homes.items()}
    line = Gateway(federation.address, federation.asker, REQUESTER, federation.federation)
    with programs_of(gateway, homes, federation.address, TICK_SECONDS) as programs, line:
        _ask(line, prepared[:WARM_UP])
        costs = _timed(line, programs, prepared[WARM_UP:-COUNTED])
        with programs.counting(counted):
            released = _ask(line, prepared[-COUNTED:])
    return costs, counted, released


def _timed(line: Gateway, programs: Programs, prepared: Sequence[Request]) -> Figures:
    before = programs.cpu_seconds()
    _ask(line, prepared)
    after = programs.cpu_seconds()
    return {name: (after[name] - seconds) / len(prepared) for name, seconds in before.items()}


def _ask(line: Gateway, prepared: Sequence[Request]) -> Release:
    """Ask them, several at a time; the last release."""
    results: list[Result] = []
    for first in range(0, len(prepared), IN_FLIGHT):
        names = [line.submit(each).request for each in prepared[first : first + IN_FLIGHT]]
        results += [line.wait(name) for name in names]
    return results[-1].release


def _requests(federation: Running) -> Iterator[Request]:
    """Requests for small questions, all different, so that none is answered from an earlier release."""
    provinces = federation.contracts[0].dimension("province")
    codes = provinces.values if provinces else ()
    for first in codes:
        for second in codes:
            if first < second:
                query = query_of(["count"], ["month"], ("2025-01-01", "2025-04-01"), {"province": [first, second]})
                yield federation.client.request(federation.client.question(AGREEMENT, "everything", query))


if __name__ == "__main__":
    main()
