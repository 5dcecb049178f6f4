"""The catalogue's forms, from real contracts."""

from datetime import UTC, datetime
from functools import cache

import pytest
from rdflib import RDF, Graph, URIRef
from rdflib.plugins.parsers.jsonld import to_rdf

from contracts.canonical import digest_of
from contracts.dataset import DatasetContract, Text
from contracts.odcs import bundled_ids, bundled_text, read_contract
from contracts.release import ReleaseState
from contracts.views import ReleaseSummary
from gateway.catalogue.ckan import packages_of
from gateway.catalogue.dataspace import Concluded, dataspace_agreements, dataspace_catalogue
from gateway.catalogue.dcat import FREQUENCY, dcat_of, turtle
from gateway.catalogue.entry import MAIL_OF_NOBODY, MOST_RELEASES, Catalogue, entries_of
from gateway.catalogue.schema_org import schema_org_of
from gateway.web.catalogue import render_catalogue
from gateway.web.page import Reader
from tests import factories

pytestmark = pytest.mark.unit

BASE = "https://gateway.example"
AT = datetime(2026, 11, 21, tzinfo=UTC)
TITLES = {"ccib": Text(th="บช.สอท.", en="CCIB"), "oja": Text(th="สกธ.", en="OJA")}
FOURTEEN = {
    *("data_type", "owner_org", "title", "maintainer", "maintainer_email", "tag_string", "notes", "objective"),
    *("update_frequency_unit", "update_frequency_interval", "geo_coverage", "data_source", "data_format"),
    *("data_category", "license_id"),
}


@cache
def contracts() -> tuple[DatasetContract, ...]:
    return tuple(read_contract(bundled_text(name)) for name in bundled_ids())


def summary(number: int, contract: DatasetContract, state: ReleaseState = ReleaseState.VALID) -> ReleaseSummary:
    return ReleaseSummary(
        id=f"rel-{number:04d}",
        digest=f"sha-256:{'c' * 64}",
        requester="oja",
        agreement="AGR-1",
        activity="monthly",
        purpose="justice-statistics",
        public=True,
        contracts=(contract.reference,),
        query=factories.query(),
        cells=9,
        charges=(),
        created=AT,
        state=state,
    )


def catalogue(*released: ReleaseSummary, retired: frozenset[str] = frozenset()) -> Catalogue:
    published = [(each, AT) for each in contracts()]
    return Catalogue(BASE, "oja", TITLES["oja"], entries_of(published, retired, TITLES, released))


def test_a_dataset_stands_once_with_its_newest_contract_in_force() -> None:
    first = factories.contract(version="1.9.0")
    second = factories.contract(version="1.10.0")
    third = factories.contract(version="2.0.0")
    published = [(third, AT), (first, AT), (second, AT)]

    (shown,) = entries_of(published, frozenset({third.digest}), TITLES)
    gone = entries_of(published, frozenset({first.digest, second.digest, third.digest}), TITLES)

    assert shown.contract == second
    assert shown.agency == TITLES["ccib"]
    assert gone == ()


def test_every_bundled_dataset_is_in_every_form() -> None:
    whole = catalogue()
    asked = {each.contract.id for each in whole.entries if each.is_asked}

    assert {each["dct:identifier"].partition("/")[2] for each in dcat_of(whole)["dcat:dataset"]} == set(bundled_ids())
    assert {each["identifier"].partition("/")[2] for each in schema_org_of(whole)["dataset"]} == set(bundled_ids())
    assert packages_of(whole)["result"]["count"] == len(bundled_ids())
    assert {each["@id"].rpartition("/")[2] for each in dataspace_catalogue(whole)["dataset"]} == asked
    assert asked == set(bundled_ids()) - {"ref_population"}


def test_the_graph_is_the_same_in_turtle() -> None:
    whole = catalogue()
    from_turtle = Graph().parse(data=turtle(whole), format="turtle")
    from_json = to_rdf(dcat_of(whole), Graph())

    assert set(from_turtle) == set(from_json)
    dataset = URIRef("http://www.w3.org/ns/dcat#Dataset")
    assert len(list(from_turtle.subjects(RDF.type, dataset))) == len(bundled_ids())


def test_a_withdrawn_release_says_so_where_the_catalogue_cites_it() -> None:
    (complaints,) = (each for each in contracts() if each.id == "tpo_complaint")
    whole = catalogue(summary(1, complaints), summary(2, complaints, ReleaseState.WITHDRAWN))

    (node,) = (each for each in dcat_of(whole)["dcat:dataset"] if each["dct:identifier"] == "ccib/tpo_complaint")
    status = {
        each["@id"].rpartition("/")[2]: each["adms:status"]["@id"].rpartition("/")[2]
        for each in node["dcat:distribution"]
        if "adms:status" in each
    }
    assert status == {"rel-0001": "COMPLETED", "rel-0002": "WITHDRAWN"}
    page = render_catalogue(whole, Reader("en", synthetic=False))
    after = page[page.index("rel-0002</code>") :]
    assert 'class="bad"' in after[:80]
    assert 'class="bad"' not in page[: page.index("rel-0002</code>")]


def test_a_dataset_cites_its_newest_releases_only() -> None:
    (complaints,) = (each for each in contracts() if each.id == "tpo_complaint")
    whole = catalogue(*(summary(number, complaints) for number in range(MOST_RELEASES + 3)))

    (entry,) = (each for each in whole.entries if each.releases)
    assert [each.id for each in entry.releases] == [f"rel-{number:04d}" for number in range(MOST_RELEASES)]


def test_a_package_has_the_fields_that_the_national_catalogue_demands() -> None:
    packages = packages_of(catalogue())["result"]["results"]

    assert all(set(each) >= FOURTEEN and all(each[name] for name in FOURTEEN) for each in packages)
    assert len({each["name"] for each in packages}) == len(packages)


def test_what_a_contract_does_not_say_is_not_made_up() -> None:
    bare = factories.contract()
    whole = Catalogue(BASE, "oja", TITLES["oja"], entries_of([(bare, AT)], frozenset(), {}))

    (node,) = dcat_of(whole)["dcat:dataset"]
    assert packages_of(whole)["result"]["count"] == 0
    assert "dct:accrualPeriodicity" not in node
    assert "dcat:keyword" not in node
    assert "vcard:hasEmail" not in node["dcat:contactPoint"]
    assert whole.entries[0].agency.en == "ccib"
    assert MAIL_OF_NOBODY.endswith(".invalid")


def test_open_data_is_public_and_all_else_restricted() -> None:
    rights = {
        each["dct:identifier"]: each["dct:accessRights"]["@id"].rpartition("/")[2]
        for each in dcat_of(catalogue())["dcat:dataset"]
    }

    assert {name for name, right in rights.items() if right == "PUBLIC"} == {"nso/ref_population"}


def test_every_frequency_of_the_contracts_has_a_code() -> None:
    used = {each.catalogue.update_frequency for each in contracts() if each.catalogue}

    assert used <= set(FREQUENCY)


def test_an_agreement_is_one_odrl_agreement_for_each_activity_and_dataset() -> None:
    contract = factories.contract()
    agreed = factories.agreement((contract,), obligations=("delete-at-end", "cite-source"))
    concluded = Concluded(agreed, digest_of(agreed), AT, {contract.digest: "ccib"})

    (node,) = dataspace_agreements(BASE, concluded)

    assert (node["target"], node["timestamp"]) == (
        f"{BASE}/catalogue/datasets/ccib/tpo_complaint",
        "2026-11-21T00:00:00Z",
    )
    assert [each["action"] for each in node["obligation"]] == ["attribute", "delete"]
    assert dataspace_agreements(BASE, Concluded(agreed, digest_of(agreed), AT, {})) == ()


@pytest.mark.parametrize("lang", ["th", "en"])
def test_the_page_shows_every_dataset_and_runs_nothing(lang: str) -> None:
    page = render_catalogue(catalogue(), Reader(lang, synthetic=True))

    assert all(f"-{name}" in page for name in bundled_ids())
    assert page.count("<script") == page.count('<script type="application/ld+json">') == 1
    empty = render_catalogue(Catalogue(BASE, "oja", TITLES["oja"], ()), Reader(lang, synthetic=False))
    assert "<h3>" not in empty


def test_a_hostile_title_stays_text() -> None:
    hostile = factories.contract(title=Text(th="</script><script>alert(1)</script>", en="<b>"))
    page = render_catalogue(
        Catalogue(BASE, "oja", TITLES["oja"], entries_of([(hostile, AT)], frozenset(), {})),
        Reader("th", synthetic=False),
    )

    assert "<script>" not in page
