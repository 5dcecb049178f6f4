"""Validate the catalogue and an agreement against the JSON Schemas of the Dataspace Protocol 2025-1.

python -m tests.interop.dataspace_schemas FOLDER      exit 1 when one does not validate
"""

import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jsonschema import Draft201909Validator
from referencing import Registry, Resource

from gateway.catalogue.dataspace import CONTEXT, dataspace_agreements, dataspace_catalogue
from tests.interop.sample import BASE, catalogue, concluded

NAMES = "https://w3id.org/dspace/2025/1"


def main(folder: Path) -> int:
    """Print one line for each kind of document; 0 when all validate."""
    registry: Registry[Any] = Registry().with_resources(
        [(str(schema["$id"]), Resource.from_contents(schema)) for schema in _schemas(folder)]
    )
    agreements = dataspace_agreements(BASE, concluded())
    messages: list[dict[str, Any]] = [
        {"@context": list(CONTEXT), "@type": "ContractAgreementMessage", **_names(place), "agreement": each}
        for place, each in enumerate(agreements)
    ]
    wrong = _check(registry, "catalog/catalog-schema.json", [dataspace_catalogue(catalogue())])
    wrong += _check(registry, "negotiation/contract-agreement-message-schema.json", messages)
    return 1 if wrong else 0


def _names(place: int) -> dict[str, str]:
    return {"providerPid": f"urn:uuid:provider-{place}", "consumerPid": f"urn:uuid:consumer-{place}"}


def _schemas(folder: Path) -> list[dict[str, Any]]:
    """Every schema; three of them write ``#definitions`` without a slash, which is mended here."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*-schema.json")))
    return [json.loads(text.replace(".json#definitions/", ".json#/definitions/")) for text in texts]


def _check(registry: "Registry[Any]", name: str, documents: Sequence[dict[str, Any]]) -> int:
    validator = Draft201909Validator({"$ref": f"{NAMES}/{name}"}, registry=registry)
    errors = [error for each in documents for error in validator.iter_errors(each)]
    for error in errors:
        print(f"  {error.json_path}: {error.message[:200]}")  # noqa: T201  # the report of a program
    verdict = f"{len(documents)} valid" if not errors else f"{len(errors)} errors"
    print(f"jsonschema {version('jsonschema')}: Dataspace Protocol 2025-1 {name}: {verdict}")  # noqa: T201  # the report of a program
    return len(errors)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
