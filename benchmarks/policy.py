"""What a request costs to decide, and what loading the registry costs: ``./run bench policy [--json]``.

Side one is everything that stands between a request that was read and its permit: its agreement is found in memory, its
digest compared, and the policies decide twice, as the gateway does and again as the connector does. Side two is one
bare Cedar decision on the same question, with everything prepared. Both take turns at each request, the fastest turn of
each counts, and the figure is the mean over the requests. Signatures are not in it: ``./run bench exchange`` has those.

Then a gateway's store with 1,000 agreements and 200 contracts is written and loaded once, cold.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cedarpy import is_authorized

from benchmarks.report import print_report
from contracts.agreement import Activity, Agreement, Every, Schedule
from contracts.canonical import canonical_bytes, digest_of
from contracts.dataset import DatasetContract, Text, Tier
from contracts.lifecycle import AgreementState
from contracts.odcs import bundled_ids, bundled_text, read_contract
from contracts.periods import Period
from contracts.query import Query
from contracts.request import Request
from contracts.standing import Standing
from gateway import events
from gateway.store import registry
from gateway.store.engine import Store
from gateway.store.migrate import upgrade
from gateway.store.registry import HeldAgreement
from policies.decide import Permit, decide, prepared, questions
from policies.rules import EXCHANGE, installed

CONTRACTS = 200
AGREEMENTS = 1_000
TURNS = 12
NOW = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
REQUESTER = "moj"
NANO_RHO = 10_000_000
NAME = Text(th="เกณฑ์วัด", en="benchmark")


@dataclass(frozen=True, slots=True)
class Registry:
    """What a gateway and a connector hold in memory: contracts by digest, agreements by name."""

    contracts: Mapping[str, DatasetContract]
    agreements: Mapping[str, HeldAgreement]

    def check(self, request: Request) -> bool:
        """Agreement check and both decisions."""
        held = self.agreements[request.agreement]
        if held.digest != request.agreement_digest:
            return False
        contracts = [self.contracts[ref.digest] for ref in request.contracts]
        at_gateway = decide(
            request,
            held.agreement,
            standing=Standing(agreement=held.state, asked_in_span=3, nano_rho_spent=NANO_RHO),
            contracts=contracts,
            asking_agency=REQUESTER,
            now=NOW,
        )
        at_agency = decide(
            request,
            held.agreement,
            standing=Standing(at_agency=True, officer_approved=True, asked_in_span=3, nano_rho_spent=NANO_RHO),
            contracts=contracts,
            asking_agency=REQUESTER,
            now=NOW,
        )
        return isinstance(at_gateway, Permit) and isinstance(at_agency, Permit)


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    contracts = _contracts()
    agreements = [_held(number, contracts) for number in range(AGREEMENTS)]
    with tempfile.TemporaryDirectory() as folder:
        load_seconds = _load_seconds(f"sqlite:///{Path(folder) / 'gateway.db'}", contracts, agreements)
    held = Registry({each.digest: each for each in contracts}, {each.agreement.id: each for each in agreements})
    requests = [_request(each) for each in agreements]
    check, bare = _in_turns(held, requests)
    figures = {
        "check_ms": check * 1e3,
        "cedar_ms": bare * 1e3,
        "load_s": load_seconds,
        "agreements": AGREEMENTS,
        "contracts": CONTRACTS,
    }
    print_report("policy", figures, {"check_vs_cedar": check / bare}, as_json=arguments.json)


def _contracts() -> list[DatasetContract]:
    """The bundled contracts that answer statistics, in as many versions as it takes."""
    bundled = [read_contract(bundled_text(name)) for name in bundled_ids()]
    usable = [each for each in bundled if Tier.STATISTICS in each.tiers]
    made = []
    for number in range(CONTRACTS):
        first = usable[number % len(usable)]
        version = f"{number // len(usable) + 1}.0.0"
        made.append(first.model_copy(update={"version": version, "digest": digest_of({"number": number})}))
    return made


def _held(number: int, contracts: Sequence[DatasetContract]) -> HeldAgreement:
    contract = contracts[number % len(contracts)]
    activity = Activity(
        id="monthly-figures",
        title=NAME,
        purpose=contract.purposes[0],
        legal_basis=contract.legal_basis[:1],
        contracts=(contract.reference,),
        measures=("count",),
        dimensions=tuple(each.name for each in contract.dimensions),
        nano_rho_per_request=NANO_RHO,
        nano_rho_in_all=100 * NANO_RHO,
        schedule=Schedule(every=Every.MONTH, requests=100),
    )
    agreement = Agreement(
        id=f"AGR-2569-{number:04}",
        version=1,
        requester=REQUESTER,
        providers=(contract.agency,),
        drafted_by=f"{REQUESTER}#officer-1",
        activities=(activity,),
        period=Period.model_validate({"from": "2025-10-01", "until": "2026-10-01"}),
        retention_days=365,
    )
    document = canonical_bytes(agreement).decode()
    return HeldAgreement(agreement, digest_of(agreement), document, (), AgreementState.ACTIVE)


def _request(held: HeldAgreement) -> Request:
    activity = held.agreement.activities[0]
    query = Query.model_validate(
        {
            "measures": ("count",),
            "dimensions": activity.dimensions[:2],
            "period": {"from": "2025-10-01", "until": "2026-01-01"},
        }
    )
    return Request(
        id=f"REQ-{held.agreement.id}",
        gateway="https://gateway.example",
        requester=REQUESTER,
        agreement=held.agreement.id,
        agreement_digest=held.digest,
        activity=activity.id,
        purpose=activity.purpose,
        contracts=activity.contracts,
        query=query,
        nano_rho=NANO_RHO,
        created=NOW,
        deliver_until=NOW + timedelta(days=1),
    )


def _in_turns(held: Registry, requests: Sequence[Request]) -> tuple[float, float]:
    """Seconds of a check and of a bare decision, on average over the requests."""
    asked = [_bare(held, request) for request in requests]
    if not all(held.check(request) for request in requests) or not all(each() for each in asked):
        raise SystemExit("a request of the benchmark is not permitted")
    pairs = [_fastest(partial(held.check, request), each) for request, each in zip(requests, asked, strict=True)]
    return statistics.fmean(check for check, _ in pairs), statistics.fmean(bare for _, bare in pairs)


def _fastest(*sides: Callable[[], bool]) -> tuple[float, ...]:
    """The fastest of a few turns of each side, in seconds; what else the machine does disturbs only the slower ones."""
    best = [float("inf")] * len(sides)
    for _ in range(TURNS):
        for place, side in enumerate(sides):
            start = time.perf_counter()
            side()
            best[place] = min(best[place], time.perf_counter() - start)
    return tuple(best)


def _bare(held: Registry, request: Request) -> Callable[[], bool]:
    """One decision of Cedar on the same question, with policies, schema, entities and question prepared."""
    rules = installed()
    agreement = held.agreements[request.agreement].agreement
    activity, contracts = agreement.activities[0], [held.contracts[ref.digest] for ref in request.contracts]
    standing = Standing(asked_in_span=3, nano_rho_spent=NANO_RHO)
    (question,) = questions(request, activity, contracts, standing, REQUESTER, NOW)
    entities = prepared(rules, activity, agreement, contracts)
    if entities is None:
        raise SystemExit("an activity of the benchmark does not fit the schema")
    return lambda: bool(is_authorized(question, rules.policies[EXCHANGE], entities, schema=rules.schema).allowed)


def _load_seconds(url: str, contracts: Sequence[DatasetContract], agreements: Sequence[HeldAgreement]) -> float:
    """Write a gateway's store, open it anew and read every contract and every agreement once."""
    upgrade(url)
    store = Store(url)
    with store.transaction() as t:
        for each in contracts:
            registry.add_contract(t, each, "{}", NOW, events.contract_published(each, NOW))
        for held in agreements:
            registry.add_agreement(t, held, NOW, ())
    store.close()
    start = time.perf_counter()
    store = Store(url)
    with store.read() as r:
        read = len(registry.all_contracts(r)), len(registry.all_agreements(r))
    seconds = time.perf_counter() - start
    store.close()
    if read != (CONTRACTS, AGREEMENTS):
        raise SystemExit(f"the store gave back {read}")
    return seconds


if __name__ == "__main__":
    main()
