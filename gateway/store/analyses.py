"""Published analyses and the releases that they cite."""

from contracts.analysis import Analysis, AnalysisKind, PublishedAnalysis
from contracts.publication import AnalysisSummary, summary_of_analysis
from gateway.store import publications
from gateway.store.engine import Reading, Transaction
from gateway.store.log import Event
from gateway.store.publications import Held, Look, Publication, Sort


def add_analysis(t: Transaction, analysis: Analysis, digest: str, document: str, event: Event) -> None:
    """Publish an analysis as its centre signed it."""
    summary = summary_of_analysis(analysis, digest, event.entry.agency or "", event.entry.at)
    new = Publication(
        id=analysis.id,
        sort=Sort.ANALYSIS,
        kind=analysis.report.kind.value,
        public=analysis.report.public,
        digest=digest,
        document=document,
        body=analysis.model_dump_json(by_alias=True),
        summary=summary.model_dump_json(by_alias=True),
        cited=summary.releases,
    )
    publications.add(t, new, event)


def latest(r: Reading, kind: AnalysisKind, look: Look) -> PublishedAnalysis | None:
    """The analysis of a kind that was published last, as far as the reader may read it."""
    held = publications.latest(r, Sort.ANALYSIS, look, kind.value)
    return published(held) if held else None


def find(r: Reading, name: str, look: Look) -> PublishedAnalysis | None:
    """The analysis of that identifier, if the reader may read it."""
    held = publications.find(r, Sort.ANALYSIS, name, look)
    return published(held) if held else None


def summaries(r: Reading, kind: AnalysisKind | None, look: Look) -> tuple[AnalysisSummary, ...]:
    """Every analysis (of a kind) that the reader may read, without its figures, newest first."""
    listed = publications.summaries(r, Sort.ANALYSIS, look, kind.value if kind else None)
    return tuple(
        AnalysisSummary.model_validate_json(text).model_copy(
            update={"flagged": flags.then, "flagged_since": flags.since}
        )
        for text, flags in listed
    )


def published(held: Held) -> PublishedAnalysis:
    """An analysis as it is fetched."""
    return PublishedAnalysis(
        analysis=Analysis.model_validate_json(held.body),
        digest=held.digest,
        flagged=held.flags.then,
        agency=held.agency,
        published_at=held.published_at,
        flagged_since=held.flags.since,
    )
