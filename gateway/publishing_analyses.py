"""Analyses: published by the agency that signed them, each with its kind, its card and the releases behind it."""

from datetime import datetime
from typing import Final

from contracts.analysis import Analysis, AnalysisKind, PublishedAnalysis
from contracts.errors import InvalidInput, Unavailable
from contracts.publication import AnalysisSummary
from gateway import events
from gateway.caller import Caller
from gateway.means import Means
from gateway.publications import check_citations, is_known, look_of, read_signed
from gateway.store import analyses, log, publications, requests
from gateway.store.publications import Sort

ANALYSIS_KIND: Final = "analysis"


def publish(means: Means, caller: Caller, document: str) -> PublishedAnalysis:
    """Publish an analysis that the caller's client key signed; the same again changes nothing.

    Raises:
        Refused: ``publication-too-large``; ``signature-wrong``, ``key-unknown``; ``not-allowed`` when another agency
            signed; ``release-withdrawn`` when it cites a release that is no longer valid; ``cited-release-not-public``
            when it is for everybody and cites what is not.
        InvalidInput: ``malformed-body``, also for two tables of one name; ``not-canonical``; ``unknown-release`` when
            it cites what the caller cannot read, or with another digest; ``request-id-reused`` when its identifier
            stands for another publication.
    """
    now = means.clock()
    signed = read_signed(means, caller, document, ANALYSIS_KIND, Analysis)
    analysis = signed.value
    names = [each.name for each in analysis.report.tables]
    if len(set(names)) != len(names):
        raise InvalidInput("malformed-body", where="report.tables")
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        log.lock(t)  # so that of two publications at once the later sees the earlier
        if not is_known(t, analysis.id, signed.digest):
            check_citations(t, analysis.citations, caller, now, for_everybody=analysis.report.public)
            event = events.analysis_published(analysis, signed.digest, caller.agency, now)
            analyses.add_analysis(t, analysis, signed.digest, document, event)
    return one(means, caller, analysis.id)


def one(means: Means, caller: Caller | None, name: str, as_of: datetime | None = None) -> PublishedAnalysis:
    """The analysis of that identifier, if the caller may read it.

    Raises:
        InvalidInput: ``unknown-publication``, also when it was published after ``as_of``.
    """
    look = look_of(means, caller, as_of)
    with means.store.read() as r:
        found = analyses.find(r, name, look)
    if found is None:
        raise InvalidInput("unknown-publication", name=name)
    return found


def document_of(means: Means, caller: Caller | None, name: str) -> str:
    """The analysis as it was signed: a compact JWS, for who may read it.

    Raises:
        InvalidInput: ``unknown-publication``.
    """
    with means.store.read() as r:
        held = publications.find(r, Sort.ANALYSIS, name, look_of(means, caller))
    if held is None:
        raise InvalidInput("unknown-publication", name=name)
    return held.document


def latest(means: Means, caller: Caller | None, kind: AnalysisKind, as_of: datetime | None = None) -> PublishedAnalysis:
    """The analysis of a kind that was published last (by ``as_of``), of those that the caller may read.

    Raises:
        Unavailable: ``nothing-published``.
    """
    look = look_of(means, caller, as_of)
    with means.store.read() as r:
        found = analyses.latest(r, kind, look)
    if found is None:
        raise Unavailable("nothing-published")
    return found


def all_analyses(
    means: Means, caller: Caller | None, kind: AnalysisKind | None = None, as_of: datetime | None = None
) -> tuple[AnalysisSummary, ...]:
    """Every analysis (of a kind, by ``as_of``) that the caller may read, without its figures, newest first."""
    look = look_of(means, caller, as_of)
    with means.store.read() as r:
        return analyses.summaries(r, kind, look)
