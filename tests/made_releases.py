"""Releases made from exact cells by the real plan and the real noise, without a gateway, for tests of analyses."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from connectors.shelf import read_file
from contracts.canonical import digest_of
from contracts.dataset import DatasetContract, ProtectAt, Tier
from contracts.grid import grid_of
from contracts.query import Query
from contracts.release import ReleaseBody
from contracts.task import Charge
from privacy.plan import plan, promise
from privacy.release import assemble, exact_part, protect
from tests import factories
from tests.factories import NOW

DATASETS = Path(__file__).parents[1] / "contracts" / "datasets"


def bundled(dataset: str) -> DatasetContract:
    """A dataset contract that comes with the program."""
    return read_file(DATASETS / f"{dataset}.odcs.yaml").contract


def made_release(
    contract: DatasetContract,
    query: Query,
    exact: Mapping[str, Sequence[int]],
    nano_rho: int = 100_000_000,
    created: datetime = NOW,
) -> ReleaseBody:
    """The release of exact cells, given for each base measure in the order of ``contracts.grid.grid_of``.

    The noise is added where the contract says: inside the agency, or by a gateway that it trusts.
    """
    inside = contract.privacy.protect_at is ProtectAt.CONNECTOR
    measures = protect(exact, contract, query, nano_rho) if inside else exact_part(exact, query)
    part = factories.part(contract, *measures)
    assembled, terms = assemble([part], [contract], query, nano_rho), plan(query, [contract], nano_rho)
    name = digest_of({"contract": contract.id, "query": query.model_dump_json(), "at": created.isoformat()})[8:40]
    return ReleaseBody(
        id=f"rel-{name}",
        request_id=f"req-{name}",
        request_digest=contract.digest,
        agreement="oja-forecasting",
        agreement_digest=contract.digest,
        activity="made",
        requester="oja",
        purpose="justice-statistics",
        tier=Tier.STATISTICS,
        public=True,
        query=query,
        grid=grid_of(query, contract),
        released=assembled.released,
        derived=assembled.derived,
        tables=assembled.tables,
        charges=tuple(Charge(source=contract.source, window=w, nano_rho=nano_rho) for w in query.period.windows()),
        promises=(promise(contract, query, nano_rho, 1),),
        epsilon=terms.epsilon,
        delta=terms.delta,
        parts=(contract.digest,),
        created=created,
    )
