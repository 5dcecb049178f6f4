"""The Dataspace Protocol 2025-1 as an export: catalogue, offers and agreements that validate against its schemas.

Nothing here negotiates: an agreement is made and enforced by ``gateway.agreements``; this says the same in ODRL for
who reads that. Traps of the schemas that are heeded: ``@context`` holds strings only; a right operand is never a bare
number; an offer inside a catalogue has no target, an agreement always has one and a time stamp.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from contracts.agreement import Activity, Agreement
from contracts.dataset import ContractRef, DatasetContract
from gateway.catalogue.entry import Catalogue, Entry

CONTEXT: Final = ("https://w3id.org/dspace/2025/1/context.jsonld",)
FORMAT: Final = "application/json"
IDENTIFY: Final = "urn:saphan:action:reidentify"
"""The action that is forbidden: to find out whom a statistic is about."""

Node = dict[str, Any]


def dataspace_catalogue(catalogue: Catalogue) -> Node:
    """The catalogue, with one offer for each dataset of which statistics may be asked."""
    service = {"@id": catalogue.url("v1"), "@type": "DataService", "endpointURL": catalogue.url("v1")}
    asked = [entry for entry in catalogue.entries if entry.is_asked]
    node: Node = {
        "@context": list(CONTEXT),
        "@id": catalogue.url("catalogue"),
        "@type": "Catalog",
        "participantId": catalogue.url(f"catalogue/agencies/{catalogue.operator}"),
        "service": [service],
    }
    return node | ({"dataset": [_dataset(catalogue, entry) for entry in asked]} if asked else {})


@dataclass(frozen=True, slots=True)
class Concluded:
    """An agreement that was concluded.

    Args:
        agreement: The agreement.
        digest: Of its canonical bytes; part of each name, so that a version has names of its own.
        at: When the last signature came.
        holders: The agency of each contract that it cites, by the contract's digest.
    """

    agreement: Agreement
    digest: str
    at: datetime
    holders: Mapping[str, str]


def dataspace_agreements(base: str, concluded: Concluded) -> tuple[Node, ...]:
    """An agreement as one ODRL agreement for each activity and dataset: ODRL knows one target and one assigner each.

    Args:
        base: The gateway's public address, without a slash at the end.
        concluded: The agreement. A dataset whose holder is not known is left out.
    """
    return tuple(
        _agreement(base, concluded, activity, ref)
        for activity in concluded.agreement.activities
        for ref in activity.contracts
        if ref.digest in concluded.holders
    )


def _dataset(catalogue: Catalogue, entry: Entry) -> Node:
    contract, name = entry.contract, catalogue.dataset_url(entry)
    return {
        "@id": name,
        "@type": "Dataset",
        "hasPolicy": [
            {
                "@id": f"{name}#offer",
                "@type": "Offer",
                "permission": [{"action": "aggregate", "constraint": _offered(contract)}],
                "prohibition": [{"action": IDENTIFY}],
            }
        ],
        "distribution": [{"@type": "Distribution", "format": FORMAT, "accessService": catalogue.url("v1")}],
    }


def _offered(contract: DatasetContract) -> list[Node]:
    return [
        _constraint("purpose", "isAnyOf", list(contract.purposes)),
        _constraint("dateTime", "gteq", _day(f"{contract.first_month}-01")),
    ]


def _agreement(base: str, concluded: Concluded, activity: Activity, ref: ContractRef) -> Node:
    agreed, owner = concluded.agreement, concluded.holders[ref.digest]
    span = agreed.period
    return {
        "@id": f"{base}/v1/agreements/{agreed.id}#{concluded.digest}:{activity.id}:{ref.id}",
        "@type": "Agreement",
        "target": f"{base}/catalogue/datasets/{owner}/{ref.id}",
        "assigner": f"{base}/catalogue/agencies/{owner}",
        "assignee": f"{base}/catalogue/agencies/{agreed.requester}",
        "timestamp": concluded.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "permission": [
            {
                "action": "aggregate",
                "constraint": [
                    _constraint("purpose", "eq", activity.purpose),
                    _constraint("dateTime", "gteq", _day(span.start.isoformat())),
                    _constraint("dateTime", "lt", _day(span.until.isoformat())),
                ],
            }
        ],
        "prohibition": [{"action": IDENTIFY}],
        "obligation": [{"action": action} for action in _duties(agreed.obligations)],
    }


def _duties(obligations: Iterable[str]) -> tuple[str, ...]:
    known = {"delete-at-end": "delete", "cite-source": "attribute"}
    return tuple(dict.fromkeys(("attribute", *(known[each] for each in obligations if each in known))))


def _constraint(left: str, operator: str, right: object) -> Node:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _day(text: str) -> Node:
    return {"@value": text, "@type": "xsd:date"}
