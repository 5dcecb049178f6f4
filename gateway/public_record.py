"""What the public page reads: public releases with their figures, the newest forecast and warnings."""

from contracts.analysis import AnalysisKind, PublishedAnalysis
from contracts.forecast import PublishedForecast
from contracts.release import Release, ReleaseState
from gateway.means import Means
from gateway.store import analyses, forecasts, releases
from gateway.store.publications import Look

MOST_KEPT = 256
"""Releases kept in memory between two looks; their bodies never change."""


class PublishedRecord:
    """The public side of the records. Safe to be read by many threads."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._kept: dict[str, Release] = {}

    def latest_forecast(self) -> PublishedForecast | None:
        """The newest published forecast, if any."""
        with self._means.store.read() as r:
            return forecasts.latest(r, Look(None, self._means.clock()))

    def latest_warnings(self) -> PublishedAnalysis | None:
        """The newest published warnings that everybody may read, if any."""
        with self._means.store.read() as r:
            return analyses.latest(r, AnalysisKind.WARNINGS, Look(None, self._means.clock()))

    def releases(self, agency: str | None, /) -> tuple[Release, ...]:
        """The releases that an agency may see, newest first; None asks for the public ones."""
        now = self._means.clock()
        found = []
        with self._means.store.read() as r:
            for summary in releases.summaries(r, agency, now):
                kept = self._kept.get(summary.id)
                if kept is None or summary.state is not ReleaseState.VALID:
                    held = releases.release(r, summary.id, agency, now)
                    kept = held.release if held else None
                if kept is not None:
                    found.append(kept)
        self._kept = {each.body.id: each for each in found[:MOST_KEPT]}
        return tuple(found)
