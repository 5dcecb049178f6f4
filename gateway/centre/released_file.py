"""An exported release on disk, read back as a panel for ``saphan forecast``."""

from pathlib import Path
from statistics import NormalDist

import pandas as pd
from pydantic import ValidationError

from contracts.errors import InvalidInput
from contracts.release import Release
from forecasting.panel import Panel, panel_of, panel_of_table

COUNT, COUNT_ERROR = "count", "count_error_95"
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
    if COUNT not in frame or COUNT_ERROR not in frame:
        raise InvalidInput("release-not-a-series", why="it has no count with its error")
    sigma = float(frame[COUNT_ERROR].iloc[0]) / _HALF_WIDTHS_95
    labels = [str(name) for name in frame.columns[: list(frame.columns).index(COUNT)]]
    return panel_of_table(frame[[*labels, COUNT]], COUNT, sigma)


def _csv(path: Path) -> pd.DataFrame:
    # Every label is text: a province is "10", an hour "07".
    return pd.read_csv(path, dtype=str).astype({COUNT: float, COUNT_ERROR: float})


def _xlsx(path: Path) -> pd.DataFrame:
    return pd.read_excel(path, dtype=str).astype({COUNT: float, COUNT_ERROR: float})


_READERS = {".csv": _csv, ".parquet": pd.read_parquet, ".xlsx": _xlsx}
