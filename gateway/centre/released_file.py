"""An exported release on disk, read back as a panel for ``saphan forecast``."""

from pathlib import Path
from statistics import NormalDist

import pandas as pd
from pydantic import ValidationError

from contracts.errors import InvalidInput
from contracts.release import Release
from forecasting.panel import Panel, panel_of, panel_of_table, with_cell_noise

COUNT, COUNT_ERROR = "count", "count_error_95"
ESTIMATE, SIGMA, MEASURE, TABLE = "estimate", "sigma", "measure", "table"
HEAD = (TABLE, MEASURE, "unit")
_HALF_WIDTHS_95 = NormalDist().inv_cdf(0.975)


def read_panel(path: Path) -> Panel:
    """The counts of an exported release: CSV, Parquet or XLSX as ``saphan release export`` writes it, or its JSON.

    Raises:
        InvalidInput: ``malformed-body`` when the file cannot be read, ``release-not-a-series``.
    """
    try:
        if path.suffix == ".json":
            return panel_of(Release.model_validate_json(path.read_bytes()).body)
        frame = _READERS[path.suffix](path)
    except (OSError, KeyError, ValueError, ValidationError) as error:
        raise InvalidInput("malformed-body", where=path.name) from error
    return _panel(frame)


def _panel(frame: pd.DataFrame) -> Panel:
    if TABLE in frame:
        return _family_panel(frame)
    if COUNT not in frame or COUNT_ERROR not in frame:
        raise InvalidInput("release-not-a-series", why="it has no count with its error")
    sigma = float(frame[COUNT_ERROR].iloc[0]) / _HALF_WIDTHS_95
    labels = [str(name) for name in frame.columns[: list(frame.columns).index(COUNT)]]
    return panel_of_table(frame[[*labels, COUNT]], COUNT, sigma)


def _family_panel(frame: pd.DataFrame) -> Panel:
    """The counts of the finest table of a family: its unbiased estimates, and the mean of their variances."""
    counts = frame[frame[MEASURE] == COUNT]
    if counts.empty:
        raise InvalidInput("release-not-a-series", why="it has no count with its error")
    finest = counts[counts[TABLE] == counts[TABLE].value_counts().idxmax()]
    labels = [name for name in finest.columns[: list(finest.columns).index(ESTIMATE)] if name not in HEAD]
    told = [name for name in labels if finest[name].notna().all()]
    made = panel_of_table(finest[[*told, ESTIMATE]], ESTIMATE, float(finest[SIGMA].max()))
    return with_cell_noise(made, panel_of_table(finest[[*told, SIGMA]], SIGMA, 0.0).figures)


def _csv(path: Path) -> pd.DataFrame:
    # Every label is text: a province is "10", an hour "07".
    frame = pd.read_csv(path, dtype=str)
    figures = (ESTIMATE, SIGMA) if TABLE in frame else (COUNT, COUNT_ERROR)
    return frame.astype(dict.fromkeys(figures, float))


def _xlsx(path: Path) -> pd.DataFrame:
    return pd.read_excel(path, dtype=str).astype({COUNT: float, COUNT_ERROR: float})


_READERS = {".csv": _csv, ".parquet": pd.read_parquet, ".xlsx": _xlsx}
