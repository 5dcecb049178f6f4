"""CKAN packages with the fields of the Thai Government Data Catalog (GD Catalog), as its ``package_search`` answers.

The 14 mandatory fields of the ckanext-thai_gdc form: data_type, owner_org, title, maintainer, maintainer_email,
tag_string, notes, objective, update_frequency (unit and interval), geo_coverage, data_source, data_format,
data_category, license_id. Value lists are the form's own Thai words.
"""

from typing import Any, Final

from contracts.dataset import CatalogueTerms
from gateway.catalogue.entry import MAIL_OF_NOBODY, Catalogue, Entry

FORMAT: Final = "JSON"

Package = dict[str, Any]


def packages_of(catalogue: Catalogue) -> Package:
    """Every dataset as a package, in the envelope of CKAN's action interface."""
    described = ((entry, entry.contract.catalogue) for entry in catalogue.entries)
    results = [_package(catalogue, entry, terms) for entry, terms in described if terms is not None]
    return {"success": True, "result": {"count": len(results), "results": results}}


def _package(catalogue: Catalogue, entry: Entry, terms: CatalogueTerms) -> Package:
    contract = entry.contract
    owner = next((each.name for each in contract.contacts if each.role == "data owner"), entry.agency.th)
    tags = contract.keywords or (contract.title.th,)
    return {
        "name": f"{contract.agency}-{contract.id}".replace("_", "-"),
        "title": contract.title.th,
        "title_en": contract.title.en,
        "notes": entry.about.th,
        "data_type": terms.data_type,
        "owner_org": contract.agency,
        "maintainer": owner,
        "maintainer_email": contract.email or MAIL_OF_NOBODY,
        "tag_string": ",".join(tags),
        "tags": [{"name": each} for each in tags],
        "objective": terms.objective,
        "update_frequency_unit": terms.update_frequency,
        "update_frequency_interval": "1",
        "geo_coverage": terms.geo_coverage,
        "data_source": entry.agency.th,
        "data_format": FORMAT,
        "data_category": terms.data_category,
        "license_id": terms.licence,
        "allow_harvest": True,
        "version": contract.version,
        "url": catalogue.dataset_url(entry),
        "resources": [
            {
                "name": contract.title.th,
                "description": entry.about.th,
                "format": FORMAT,
                "url": catalogue.url("v1/requests"),
            }
        ],
    }
