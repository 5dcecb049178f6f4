"""A bundled contract's document, changed term by term, and signed as its agency would."""

from collections.abc import Mapping
from copy import deepcopy

from contracts.canonical import canonical_bytes
from contracts.contract_diff import Version
from contracts.odcs import bundled_text, contract_from_document
from contracts.odcs_yaml import parse
from contracts.signing import sign_document
from contracts.views import PublishedContract
from tests.factories import Keys

DATASET = "dop_case"
OWNER = "dop"


def version(number: str = "1.0.0", /, *, words: str | None = None, **extras: Mapping[str, object]) -> Version:
    """The contract of that version; each keyword merges keys into the extra of that name."""
    document = deepcopy(dict(parse(bundled_text(DATASET))))
    document["version"] = number
    if words is not None:
        document["description"] = {"purpose": words}
    properties = document["customProperties"]
    assert isinstance(properties, list)
    for each in properties:
        if each["property"] in extras:
            each["value"] = {**each["value"], **extras[each["property"]]}
    return Version(contract_from_document(document), document)


def weaker(number: str) -> Version:
    """Earlier months may be asked."""
    return version(number, coverage={"firstMonth": "2019-01"})


def breaking(number: str) -> Version:
    """Fewer dimensions at once."""
    return version(number, release={"maxDimensions": 1})


def tighter(number: str) -> Version:
    """Half the budget."""
    return version(number, differentialPrivacy={"nanoRhoPerWindow": 100_000_000})


def published(keys: Keys, each: Version, *kids: str) -> PublishedContract:
    """A version under the signatures of the agency's steward and data protection officer."""
    signers = [keys[kid] for kid in kids or (f"{OWNER}#steward-1", f"{OWNER}#dpo-1")]
    document = sign_document(canonical_bytes(each.document), "contract", *signers)
    return PublishedContract(reference=each.contract.reference, agency=OWNER, document=document)
