"""The registers under the Personal Data Protection Act: each as JSON, and as a workbook to be filed or shown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel
from starlette.responses import Response

from contracts.breach import BreachView
from contracts.identifiers import AgencyId
from contracts.personal_data import DisclosureLine, SubjectCase
from contracts.processing import ProcessingRecord
from contracts.retention import IssuedCertificate, RetentionProof
from contracts.views import SignedText
from gateway.api.paging import Page, Paged
from gateway.api.signed import Anybody, AtDesk, MemberRoute, OpenRoute, Reading, Writing, json_of
from gateway.privacy_office import breaches, disclosures, processing_records, retention, subject_requests
from gateway.privacy_office.sheets import breach_sheets, disclosure_sheets, processing_sheets, subject_sheets
from gateway.workbook import MEDIA_TYPE, Sheet, to_bytes

open_routes = APIRouter(tags=["personal data"], route_class=OpenRoute)
member_routes = APIRouter(tags=["personal data"], route_class=MemberRoute)

BOTH: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {MEDIA_TYPE: {}}, "description": "JSON, or a workbook with ?format=xlsx or Accept."}
}


Line = TypeVar("Line", bound=BaseModel)


class RegisterFormat(StrEnum):
    """How a register is given."""

    JSON = "json"
    XLSX = "xlsx"


async def _wanted(
    form: Annotated[RegisterFormat | None, Query(alias="format")] = None, accept: Annotated[str, Header()] = ""
) -> RegisterFormat:
    if form is not None:
        return form
    return RegisterFormat.XLSX if MEDIA_TYPE in accept else RegisterFormat.JSON


Format = Annotated[RegisterFormat, Depends(_wanted)]


@dataclass(frozen=True, slots=True)
class Given:
    """How a register is wanted: as a workbook it comes whole, as JSON in pages."""

    form: RegisterFormat
    page: Page

    def of(self, lines: Sequence[Line], name: Callable[[Line], str], sheets: Callable[[], Iterable[Sheet]]) -> Response:
        """The register; ``name`` is what a line is called in ``?after=``."""
        return _workbook(sheets()) if self.form is RegisterFormat.XLSX else self.page.of(lines, name)


async def _given(form: Format, page: Paged) -> Given:
    return Given(form, page)


Wanted = Annotated[Given, Depends(_given)]


def _workbook(sheets: Iterable[Sheet]) -> Response:
    return Response(to_bytes(sheets), media_type=MEDIA_TYPE)


@member_routes.get(
    "/v1/processing-records/{agency}",
    operation_id="getProcessingRecord",
    response_model=ProcessingRecord,
    responses=BOTH,
)
def processing_record(agency: AgencyId, caller: Reading, desk: AtDesk, form: Format) -> Response:
    """The record of processing of one agency (PDPA s. 39), for itself, the operator and the supervisors."""
    record = processing_records.record_of(desk.exchange.means, caller, agency)
    return _workbook(processing_sheets(record)) if form is RegisterFormat.XLSX else json_of(record)


@member_routes.get(
    "/v1/disclosures", operation_id="listDisclosures", response_model=list[DisclosureLine], responses=BOTH
)
def list_disclosures(caller: Reading, desk: AtDesk, given: Wanted, agency: AgencyId | None = None) -> Response:
    """The register of disclosures (OIA s. 24, PDPA s. 27) of the own agency, or of another for who may see it."""
    lines = disclosures.lines(desk.exchange.means, caller, agency)
    return given.of(lines, lambda each: f"{each.log_index}-{each.agency}", lambda: disclosure_sheets(lines))


@member_routes.post("/v1/disclosures", operation_id="recordDisclosure", response_model=DisclosureLine, status_code=201)
def record_disclosure(text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """Record what was disclosed beside the exchange, signed by the own officer or DPO; never the data itself."""
    return json_of(disclosures.record(desk.exchange.means, caller, text.document), 201)


@member_routes.get(
    "/v1/subject-requests", operation_id="listSubjectRequests", response_model=list[SubjectCase], responses=BOTH
)
def list_subject_requests(caller: Reading, desk: AtDesk, given: Wanted) -> Response:
    """What people asked under sections 19 and 30 to 36, as far as it concerns the caller; open ones by due date."""
    cases = subject_requests.cases(desk.exchange.means, caller)
    return given.of(cases, lambda each: each.id, lambda: subject_sheets(cases))


@member_routes.get("/v1/subject-requests/{reference}", operation_id="getSubjectRequest", response_model=SubjectCase)
def get_subject_request(reference: str, caller: Reading, desk: AtDesk) -> Response:
    """One request: where it stands, by when it is due, and whom to speak to."""
    return json_of(subject_requests.case(desk.exchange.means, caller, reference))


@member_routes.post(
    "/v1/subject-requests", operation_id="fileSubjectRequest", response_model=SubjectCase, status_code=201
)
def file_subject_request(text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """File a person's request, signed by the own DPO or officer; it is routed to the agency that holds the rows."""
    return json_of(subject_requests.file(desk.exchange.means, caller, text.document), 201)


@member_routes.post(
    "/v1/subject-requests/{reference}/acts", operation_id="moveSubjectRequest", response_model=SubjectCase
)
def move_subject_request(reference: str, text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """Acknowledge, forward, fulfil or refuse a request, signed by the DPO of the agency that holds the rows."""
    return json_of(subject_requests.act(desk.exchange.means, caller, reference, text.document))


@member_routes.get("/v1/breaches", operation_id="listBreaches", response_model=list[BreachView], responses=BOTH)
def list_breaches(caller: Reading, desk: AtDesk, given: Wanted) -> Response:
    """The own breaches, least time left first; a workbook has the fields of the PDPC's form."""
    views = breaches.breaches(desk.exchange.means, caller)
    return given.of(views, lambda each: each.breach.id, lambda: breach_sheets(views))


@member_routes.get("/v1/breaches/{breach_id}", operation_id="getBreach", response_model=BreachView, responses=BOTH)
def get_breach(breach_id: str, caller: Reading, desk: AtDesk, form: Format) -> Response:
    """One breach with its clock."""
    view = breaches.found(desk.exchange.means, caller, breach_id)
    return _workbook(breach_sheets((view,))) if form is RegisterFormat.XLSX else json_of(view)


@member_routes.post("/v1/breaches", operation_id="recordBreach", response_model=BreachView, status_code=201)
def record_breach(text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """Record a breach, or a newer version of one, signed by the own DPO or officer."""
    return json_of(breaches.record(desk.exchange.means, caller, text.document), 201)


@open_routes.get("/v1/retention", operation_id="listRetention", response_model=list[IssuedCertificate])
def list_retention(_caller: Anybody, desk: AtDesk, page: Paged) -> Response:
    """What was deleted when its time was over: a signed certificate of each run, newest first."""
    return page.of(retention.certificates(desk.exchange.means), lambda each: each.certificate.id)


@member_routes.get("/v1/retention/{name}", operation_id="getRetentionProof", response_model=RetentionProof)
def get_retention_proof(name: str, caller: Reading, desk: AtDesk) -> Response:
    """A certificate with every digest under its roots, for the operator and the supervisors."""
    return json_of(retention.proof(desk.exchange.means, caller, name))
