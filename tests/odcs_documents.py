"""The document of one contract, to be changed at will: what tests of the contract format break."""

import copy
from functools import lru_cache
from typing import Any

from contracts.odcs import bundled_text
from contracts.odcs_yaml import parse

Doc = dict[str, Any]


def document() -> Doc:
    """The contract of tpo_complaint, to be changed at will."""
    return copy.deepcopy(original())


@lru_cache(maxsize=1)
def original() -> Doc:
    return dict(parse(bundled_text("tpo_complaint")))


def column(doc: Doc, name: str) -> Doc:
    found: Doc = next(each for each in doc["schema"][0]["properties"] if each["name"] == name)
    return found


def extra(holder: Doc, name: str) -> Any:  # noqa: ANN401  # an extra has any shape
    return next(each for each in holder["customProperties"] if each["property"] == name)["value"]


def set_extra(holder: Doc, name: str, value: object) -> None:
    next(each for each in holder["customProperties"] if each["property"] == name)["value"] = value


def ours(name: str, value: object) -> Doc:
    return {"property": name, "vendor": "saphan", "value": value}


def first_dimension(doc: Doc, name: str) -> Doc:
    found: Doc = extra(column(doc, name), "dimensions")[0]
    return found


def pilot(doc: Doc, name: str, codes: list[str]) -> None:
    doc["customProperties"].append(ours("pilot", {"column": name, "codes": codes}))


def clamp_by(doc: Doc, name: str, clamps: dict[str, list[int]]) -> None:
    extra(column(doc, "damage_thb"), "measure")["clampBy"] = {"column": name, "clamps": clamps}


def secret(doc: Doc, protect_at: str) -> None:
    extra(doc, "government")["dgaLevel"] = "SECRET"
    extra(doc, "differentialPrivacy")["protectAt"] = protect_at


def feed(doc: Doc, name: str | None = None, codes: list[str] | None = None) -> None:
    extra(doc, "release")["tiers"] = ["statistics", "feed"]
    if name is not None:
        extra(doc, "release")["feedRows"] = {"column": name, "codes": codes}


def harmless(doc: Doc) -> Doc:
    for each in doc["schema"][0]["properties"]:
        each["classification"] = "internal"
    return doc


def impersonal(doc: Doc) -> Doc:
    pdpa = extra(doc, "pdpa")
    pdpa.update(classification="none", section26=[])
    pdpa.pop("exemption")
    extra(doc, "government")["oia24"] = "none"
    return harmless(doc)
