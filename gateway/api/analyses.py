"""Analyses: warnings, clocks, rankings, rate ratios and evaluations, each with its card and its sources."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.analysis import AnalysisKind, PublishedAnalysis
from contracts.identifiers import Identifier, Name
from contracts.publication import AnalysisSummary
from contracts.views import SignedText
from gateway import publishing_analyses
from gateway.analysis_csv import MEDIA_TYPE, table_csv
from gateway.api.paging import Paged
from gateway.api.publishing import AsOf, PublishingRoute
from gateway.api.signed import Anybody, AtDesk, OpenRoute, Writing, json_of

open_routes = APIRouter(tags=["analyses"], route_class=OpenRoute)
member_routes = APIRouter(tags=["analyses"], route_class=PublishingRoute)


@open_routes.get("/v1/analyses", operation_id="listAnalyses", response_model=list[AnalysisSummary])
def list_analyses(
    caller: Anybody, desk: AtDesk, page: Paged, kind: AnalysisKind | None = None, as_of: AsOf = None
) -> Response:
    """The analyses that the caller may read, without their figures, newest first; ?kind= and ?as_of= narrow it."""
    return page.of(publishing_analyses.all_analyses(desk.exchange.means, caller, kind, as_of), lambda each: each.id)


@open_routes.get("/v1/analyses/latest", operation_id="getLatestAnalysis", response_model=PublishedAnalysis)
def latest_analysis(caller: Anybody, desk: AtDesk, kind: AnalysisKind, as_of: AsOf = None) -> Response:
    """The newest analysis of a kind (?as_of= then) of those that the caller may read."""
    return json_of(publishing_analyses.latest(desk.exchange.means, caller, kind, as_of))


@open_routes.get("/v1/analyses/{analysis_id}", operation_id="getAnalysis", response_model=PublishedAnalysis)
def get_analysis(analysis_id: Identifier, caller: Anybody, desk: AtDesk, as_of: AsOf = None) -> Response:
    """One analysis, flagged when a release that it cites was withdrawn or superseded."""
    return json_of(publishing_analyses.one(desk.exchange.means, caller, analysis_id, as_of))


@open_routes.get("/v1/analyses/{analysis_id}/document", operation_id="getAnalysisDocument", response_model=SignedText)
def get_analysis_document(analysis_id: Identifier, caller: Anybody, desk: AtDesk) -> Response:
    """The analysis as its agency signed it: a compact JWS, for whoever checks the signature."""
    return json_of(SignedText(document=publishing_analyses.document_of(desk.exchange.means, caller, analysis_id)))


@open_routes.get(
    "/v1/analyses/{analysis_id}/tables/{name}.csv",
    operation_id="getAnalysisTable",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}, "description": "RFC 4180, in UTF-8."}},
)
def get_analysis_table(analysis_id: Identifier, name: Name, caller: Anybody, desk: AtDesk) -> Response:
    """One table of an analysis as CSV; every row names the analysis and says whether a cited release was withdrawn."""
    published = publishing_analyses.one(desk.exchange.means, caller, analysis_id)
    return Response(table_csv(published, name), media_type=MEDIA_TYPE)


@member_routes.post("/v1/analyses", operation_id="publishAnalysis", response_model=PublishedAnalysis, status_code=201)
def publish_analysis(text: SignedText, caller: Writing, desk: AtDesk) -> Response:
    """Publish an analysis that the caller has signed and that cites the releases it came from."""
    return json_of(publishing_analyses.publish(desk.exchange.means, caller, text.document), 201)
