"""DCAT-AP 3 as JSON-LD: one function from the catalogue to plain data. ``turtle`` writes the same graph as Turtle.

Vocabulary: W3C DCAT 3 and DCAT-AP 3.0.1 (SEMIC). Resources of authority tables carry their type in the document, so
that the official shapes hold without asking the web.
"""

from typing import Any, Final

from rdflib import Graph
from rdflib.plugins.parsers.jsonld import to_rdf

from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.release import ReleaseState
from contracts.views import ReleaseSummary
from gateway.catalogue.entry import ABOUT, NAME, Catalogue, Entry

CONTEXT: Final = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "adms": "http://www.w3.org/ns/adms#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
}
AUTHORITY: Final = "http://publications.europa.eu/resource/authority"
STATUS: Final = f"{AUTHORITY}/dataset-status"
FREQUENCY: Final = {
    "ปี": "ANNUAL",
    "ครึ่งปี": "ANNUAL_2",
    "ไตรมาส": "QUARTERLY",
    "เดือน": "MONTHLY",
    "สัปดาห์": "WEEKLY",
    "วัน": "DAILY",
    "ชั่วโมง": "HOURLY",
    "ตามเวลาจริง": "UPDATE_CONT",
}
"""The national catalogue's words for how often data change, in the EU's frequency table."""

Node = dict[str, Any]


def dcat_of(catalogue: Catalogue) -> Node:
    """The catalogue as a JSON-LD document."""
    return {
        "@context": CONTEXT,
        "@id": catalogue.url("catalogue"),
        "@type": "dcat:Catalog",
        "dct:title": _texts(NAME),
        "dct:description": _texts(ABOUT),
        "dct:publisher": _agent(catalogue, catalogue.operator, catalogue.operator_title),
        "dct:language": [_authority("language", code, "dct:LinguisticSystem") for code in ("THA", "ENG")],
        "dct:spatial": _authority("country", "THA", "dct:Location"),
        "dct:license": _licence(catalogue, "License not specified"),
        "foaf:homepage": {"@id": catalogue.url("catalogue.html"), "@type": "foaf:Document"},
        "dcat:dataset": [_dataset(catalogue, entry) for entry in catalogue.entries],
    }


def turtle(catalogue: Catalogue) -> str:
    """The same graph as Turtle."""
    # Not by Graph.parse: its JSON-LD reader goes through a class of rdflib that is deprecated.
    return str(to_rdf(dcat_of(catalogue), Graph()).serialize(format="turtle"))


def _dataset(catalogue: Catalogue, entry: Entry) -> Node:
    contract, name = entry.contract, catalogue.dataset_url(entry)
    node: Node = {
        "@id": name,
        "@type": "dcat:Dataset",
        "dct:identifier": f"{contract.agency}/{contract.id}",
        "dct:title": _texts(contract.title),
        "dct:description": _texts(entry.about),
        "dct:publisher": _agent(catalogue, contract.agency, entry.agency),
        "dcat:contactPoint": _contact(catalogue, entry),
        "dcat:theme": {
            **_authority("data-theme", "JUST", "skos:Concept"),
            "skos:prefLabel": _texts(Text(th="กระบวนการยุติธรรม", en="Justice")),
        },
        "dct:accessRights": _authority(
            "access-right", "PUBLIC" if entry.is_open else "RESTRICTED", "dct:RightsStatement"
        ),
        "dct:language": _authority("language", "THA", "dct:LinguisticSystem"),
        "dct:spatial": _authority("country", "THA", "dct:Location"),
        "dct:temporal": {
            "@id": f"{name}#period",
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _day(entry.first_day.isoformat()),
            "dcat:endDate": _day(entry.last_day.isoformat()),
        },
        "dct:issued": _day(entry.published_at.date().isoformat()),
        "dcat:version": contract.version,
        "dct:conformsTo": {"@id": catalogue.url(f"v1/contracts/{contract.digest}"), "@type": "dct:Standard"},
        "dct:provenance": {
            "@id": f"{name}#provenance",
            "@type": "dct:ProvenanceStatement",
            "rdfs:label": _texts(_classification(entry)),
        },
        "dcat:distribution": [
            _distribution(catalogue, entry),
            *(_released(catalogue, each) for each in entry.releases),
        ],
    }
    if contract.keywords:
        node["dcat:keyword"] = [{"@value": each, "@language": _language(each)} for each in contract.keywords]
    if contract.catalogue is not None:
        every = FREQUENCY[contract.catalogue.update_frequency]
        node["dct:accrualPeriodicity"] = _authority("frequency", every, "dct:Frequency")
    return node


def _distribution(catalogue: Catalogue, entry: Entry) -> Node:
    name = catalogue.dataset_url(entry)
    licence = entry.contract.catalogue.licence if entry.contract.catalogue else "License not specified"
    said = Text(
        th="ค่าสถิติที่คุ้มครองความเป็นส่วนตัวเชิงอนุพันธ์ ขอได้ภายใต้ข้อตกลง",
        en="Statistics under differential privacy, asked under an agreement",
    )
    return {
        "@id": f"{name}#statistics",
        "@type": "dcat:Distribution",
        "dct:title": _texts(said),
        "dct:description": _texts(said),
        "dcat:accessURL": {"@id": catalogue.url("v1/requests"), "@type": "rdfs:Resource"},
        "dct:format": _authority("file-type", "JSON", "dct:MediaTypeOrExtent"),
        "dct:license": _licence(catalogue, licence),
        "odrl:hasPolicy": {"@id": f"{name}#offer", "@type": "odrl:Policy"},
    }


def _released(catalogue: Catalogue, release: ReleaseSummary) -> Node:
    """A public release; one that was withdrawn or superseded says so."""
    is_valid = release.state is ReleaseState.VALID
    return {
        "@id": catalogue.url(f"v1/releases/{release.id}"),
        "@type": "dcat:Distribution",
        "dct:title": _texts(Text(th=f"ผลเผยแพร่ {release.id}", en=f"Release {release.id}")),
        "dcat:accessURL": {"@id": catalogue.url(f"v1/releases/{release.id}"), "@type": "rdfs:Resource"},
        "dct:format": _authority("file-type", "JSON", "dct:MediaTypeOrExtent"),
        "dct:license": _licence(catalogue, "License not specified"),
        "dct:issued": _day(release.created.date().isoformat()),
        "adms:status": {
            "@id": f"{STATUS}/{'COMPLETED' if is_valid else 'WITHDRAWN'}",
            "@type": "skos:Concept",
            "skos:prefLabel": {"@value": release.state.value, "@language": "en"},
        },
    }


def _contact(catalogue: Catalogue, entry: Entry) -> Node:
    contract = entry.contract
    owner = next((each.name for each in contract.contacts if each.role == "data owner"), entry.agency.th)
    node: Node = {"@id": f"{catalogue.dataset_url(entry)}#contact", "@type": "vcard:Kind", "vcard:fn": owner}
    if contract.email is not None:
        node["vcard:hasEmail"] = {"@id": f"mailto:{contract.email}"}
    return node


def _agent(catalogue: Catalogue, agency: str, title: Text) -> Node:
    return {"@id": catalogue.url(f"catalogue/agencies/{agency}"), "@type": "foaf:Agent", "foaf:name": _texts(title)}


def _classification(entry: Entry) -> Text:
    levels = code_list("data_classification").titles
    level = levels[entry.contract.government.dga_level]
    section = entry.contract.government.oia24
    return Text(
        th=f"ชั้นข้อมูล {level.th} เปิดเผยตาม พ.ร.บ.ข้อมูลข่าวสารของราชการ มาตรา {section}",
        en=f"Classification: {level.en}; disclosed under Official Information Act s. {section}",
    )


def _licence(catalogue: Catalogue, licence: str) -> Node:
    return {"@id": catalogue.url("catalogue#licence"), "@type": "dct:LicenseDocument", "rdfs:label": licence}


def _authority(table: str, code: str, kind: str) -> Node:
    return {"@id": f"{AUTHORITY}/{table}/{code}", "@type": kind}


def _texts(text: Text) -> list[Node]:
    return [{"@value": text.th, "@language": "th"}, {"@value": text.en, "@language": "en"}]


def _day(text: str) -> Node:
    return {"@value": text, "@type": "xsd:date"}


def _language(text: str) -> str:
    return "en" if text.isascii() else "th"
