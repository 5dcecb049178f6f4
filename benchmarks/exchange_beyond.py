"""What a brokered request needs besides signatures, hops and transactions, each as its library's bare call.

Two decisions by Cedar, the gateway's and the connector's; the statement in DuckDB; the noise by OpenDP; and every
document read once by each program that receives it. The floor of ``./run bench exchange`` holds none of it.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import duckdb
from cedarpy import is_authorized_batch

from benchmarks.exchange_floor import timed
from benchmarks.federation import AGREEMENT, REQUESTER, Running, now
from connectors.compile import compile_query
from contracts.canonical import canonical_bytes
from contracts.grid import grid_of
from contracts.release import Release
from contracts.request import Request
from contracts.standing import Standing
from policies.decide import prepared, questions
from policies.rules import EXCHANGE, installed
from privacy.mechanisms import draw_gaussian

REPEATS: Final = 200
SIGMA: Final = 1_000.0
"""A wide noise, as of a low price; what it costs to draw hardly depends on it."""


def beyond(federation: Running, asked: Request, released: Release) -> dict[str, float]:
    """CPU seconds of each, for one request."""
    return {
        "decisions": 2 * _decision(federation, asked),
        "statement": _statement(federation, asked),
        "noise": _noise(federation, asked),
        "documents": _documents((asked, asked, released)),
    }


def _decision(federation: Running, asked: Request) -> float:
    rules, agreement = installed(), federation.agreement
    activity = agreement.activity(asked.activity)
    entities = prepared(rules, activity, agreement, federation.contracts) if activity else None
    if activity is None or entities is None:
        raise RuntimeError(f"{AGREEMENT} has no such activity")
    put = list(questions(asked, activity, federation.contracts, Standing(), REQUESTER, now()))
    return timed(lambda: is_authorized_batch(put, rules.policies[EXCHANGE], entities, schema=rules.schema), REPEATS)


def _statement(federation: Running, asked: Request) -> float:
    contract = federation.contracts[0]
    statement = compile_query(asked.query, contract, grid_of(asked.query, contract))
    snapshot: Path = federation.homes[contract.agency].snapshot
    with duckdb.connect(snapshot, read_only=True) as connection:
        (parsed,) = connection.extract_statements(statement.sql)
        values = list(statement.parameters)
        return timed(lambda: connection.execute(parsed, values).fetchall(), REPEATS)


def _noise(federation: Running, asked: Request) -> float:
    cells = [7] * grid_of(asked.query, federation.contracts[0]).size
    return timed(lambda: draw_gaussian(cells, SIGMA), REPEATS)


def _documents(received: Sequence[Request | Release]) -> float:
    """Each document is read once by whoever receives it; part and task are about as long as the request."""
    return sum(timed(partial(type(each).model_validate_json, canonical_bytes(each)), REPEATS) for each in received)
