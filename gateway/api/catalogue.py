"""The catalogue for machines: DCAT-AP, CKAN, schema.org and the Dataspace Protocol. Everybody reads it."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import RedirectResponse, Response

from contracts.canonical import Json, canonical_bytes
from contracts.errors import InvalidInput
from contracts.identifiers import AgencyId, DatasetId, Identifier
from gateway.api.signed import MEMBERS_ONLY, AtDesk, MemberRoute, OpenRoute
from gateway.catalogue.ckan import packages_of
from gateway.catalogue.dataspace import Concluded, dataspace_agreements, dataspace_catalogue
from gateway.catalogue.dcat import dcat_of, turtle
from gateway.catalogue.schema_org import schema_org_of
from gateway.catalogue.shelf import catalogue_now
from gateway.store import registry
from gateway.store.catalogue import concluded_at

JSON_LD = "application/ld+json"
TURTLE = "text/turtle"

open_routes = APIRouter(tags=["catalogue"], route_class=OpenRoute)
member_routes = APIRouter(tags=["catalogue"], route_class=MemberRoute)


class CatalogueForm(StrEnum):
    """The forms of the catalogue, by the ending of its address."""

    JSON_LD = "jsonld"
    TURTLE = "ttl"
    SCHEMA_ORG = "schema-org.jsonld"
    GD_CATALOG = "gd-catalog.json"
    DATASPACE = "dataspace.json"


@open_routes.get(
    "/catalogue",
    operation_id="getCatalogue",
    response_class=Response,
    responses={200: {"content": {JSON_LD: {}, TURTLE: {}}}, 307: {"description": "a browser is sent to the page"}},
)
def negotiated(desk: AtDesk, accept: Annotated[str, Header()] = JSON_LD) -> Response:
    """The catalogue as DCAT-AP 3: JSON-LD, or Turtle for who accepts that; a browser is sent to the page."""
    if "text/html" in accept:
        return RedirectResponse("/catalogue.html", headers={"vary": "Accept"})
    form = CatalogueForm.TURTLE if TURTLE in accept else CatalogueForm.JSON_LD
    response = get_catalogue(form, desk)
    response.headers["vary"] = "Accept"
    return response


@open_routes.get(
    "/catalogue.{form}",
    operation_id="getCatalogueAs",
    response_class=Response,
    responses={200: {"content": {JSON_LD: {}, TURTLE: {}, "application/json": {}}}},
)
def get_catalogue(form: CatalogueForm, desk: AtDesk) -> Response:
    """The catalogue in one form: DCAT-AP (jsonld, ttl), schema.org, CKAN of the GD Catalog, or a dataspace's."""
    catalogue = catalogue_now(desk.exchange.means)
    match form:
        case CatalogueForm.TURTLE:
            return Response(turtle(catalogue), media_type=f"{TURTLE}; charset=utf-8")
        case CatalogueForm.JSON_LD:
            return _json(dcat_of(catalogue), JSON_LD)
        case CatalogueForm.SCHEMA_ORG:
            return _json(schema_org_of(catalogue), JSON_LD)
        case CatalogueForm.GD_CATALOG:
            return _json(packages_of(catalogue), "application/json")
        case CatalogueForm.DATASPACE:
            return _json(dataspace_catalogue(catalogue), JSON_LD)


@open_routes.get("/catalogue/datasets/{agency}/{dataset}", operation_id="getDataset", response_class=RedirectResponse)
def get_dataset(agency: AgencyId, dataset: DatasetId) -> Response:
    """Where a dataset is described for people."""
    return RedirectResponse(f"/catalogue.html#{agency}-{dataset}")


@open_routes.get("/catalogue/agencies/{agency}", operation_id="getAgency", response_class=RedirectResponse)
def get_agency(agency: AgencyId) -> Response:
    """Where an agency's datasets are described for people."""
    return RedirectResponse(f"/catalogue.html#{agency}")


@member_routes.get(
    "/v1/agreements/{agreement_id}/dataspace",
    operation_id="getAgreementForDataspace",
    response_class=Response,
    responses={200: {"content": {JSON_LD: {}}}},
    dependencies=[MEMBERS_ONLY],
)
def get_dataspace_agreement(agreement_id: Identifier, desk: AtDesk) -> Response:
    """The agreement as ODRL agreements of the Dataspace Protocol; only one that was concluded has this form.

    Raises:
        InvalidInput: ``agreement-not-concluded``.
    """
    means = desk.exchange.means
    view = desk.exchange.agreement(agreement_id)
    with means.store.read() as r:
        at = concluded_at(r, view.digest)
        holders = {each.digest: each.agency for each in registry.all_contracts(r)}
    if at is None:
        raise InvalidInput("agreement-not-concluded", agreement=agreement_id)
    concluded = Concluded(view.agreement, view.digest, at, holders)
    return _json(list(dataspace_agreements(means.settings.issuer.rstrip("/"), concluded)), JSON_LD)


def _json(value: Json, media_type: str) -> Response:
    return Response(canonical_bytes(value), media_type=media_type)
