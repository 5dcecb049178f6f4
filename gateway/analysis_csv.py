"""A table of an analysis as CSV (RFC 4180): nothing rounded, every row with the analysis that it belongs to.

A text that a spreadsheet would take for a formula (it begins with ``=``, ``+``, ``-``, ``@``, a tab or a return) gets
an apostrophe before it; figures never do.
"""

import csv
from io import StringIO
from typing import Final

from contracts.analysis import Figure, PublishedAnalysis, Table
from contracts.errors import InvalidInput

MEDIA_TYPE: Final = "text/csv"
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
ABOUT: Final = ("analysis_id", "analysis_digest", "kind", "created", "cites_withdrawn_release")


def table_csv(published: PublishedAnalysis, name: str) -> str:
    """The table of that name: its own columns, then which analysis it is of and whether that is flagged.

    Raises:
        InvalidInput: ``unknown-publication``.
    """
    table = _table(published, name)
    analysis = published.analysis
    flagged = "yes" if published.flagged else "no"
    about = (analysis.id, published.digest, analysis.report.kind.value, analysis.created.isoformat(), flagged)
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow((*(each.name for each in table.columns), *ABOUT))
    writer.writerows((*(_cell(each) for each in row), *about) for row in table.rows)
    return out.getvalue()


def _table(published: PublishedAnalysis, name: str) -> Table:
    found = next((each for each in published.analysis.report.tables if each.name == name), None)
    if found is None:
        raise InvalidInput("unknown-publication", name=f"{published.analysis.id}/{name}")
    return found


def _cell(figure: Figure) -> Figure:
    if isinstance(figure, bool):
        return "yes" if figure else "no"
    if isinstance(figure, str) and figure.startswith(FORMULA_STARTS):
        return f"'{figure}"
    return figure
