"""schema.org Dataset, as search engines read it in the catalogue's page."""

from typing import Any

from gateway.catalogue.entry import ABOUT, NAME, Catalogue, Entry

Node = dict[str, Any]


def schema_org_of(catalogue: Catalogue) -> Node:
    """The catalogue as a schema.org DataCatalog."""
    return {
        "@context": "https://schema.org",
        "@type": "DataCatalog",
        "@id": catalogue.url("catalogue"),
        "name": NAME.th,
        "alternateName": NAME.en,
        "description": ABOUT.th,
        "inLanguage": ["th", "en"],
        "publisher": {"@type": "GovernmentOrganization", "name": catalogue.operator_title.th},
        "dataset": [_dataset(catalogue, entry) for entry in catalogue.entries],
    }


def _dataset(catalogue: Catalogue, entry: Entry) -> Node:
    contract = entry.contract
    return {
        "@type": "Dataset",
        "@id": catalogue.dataset_url(entry),
        "identifier": f"{contract.agency}/{contract.id}",
        "name": contract.title.th,
        "alternateName": contract.title.en,
        "description": f"{entry.about.th} / {entry.about.en}",
        "keywords": list(contract.keywords),
        "version": contract.version,
        "datePublished": entry.published_at.date().isoformat(),
        "temporalCoverage": f"{contract.first_month}/{contract.last_month}",
        "spatialCoverage": {"@type": "Country", "name": "Thailand"},
        "creator": {"@type": "GovernmentOrganization", "name": entry.agency.th, "alternateName": entry.agency.en},
        "isAccessibleForFree": True,
        "conditionsOfAccess": "Open" if entry.is_open else "Protected statistics under an agreement",
        "variableMeasured": [each.title.en for each in contract.measure_columns] or ["count"],
        "measurementTechnique": "Differential privacy (zCDP, discrete Gaussian)" if entry.is_asked else "None",
    }
