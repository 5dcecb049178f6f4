"""Where the fits run: in this process, in several of this machine, or on a Dask or Ray cluster.

statsforecast takes a Dask DataFrame or a Ray Dataset in place of a pandas frame and fits each series where it lies; the
figures are the same. Neither package belongs to the product: who asks for one that is not installed is told so.
"""

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any

import pandas as pd

from contracts.errors import Unavailable


class Spread(StrEnum):
    """The engine that spreads the fits."""

    LOCAL = "local"
    DASK = "dask"
    RAY = "ray"


@dataclass(frozen=True, slots=True)
class Workers:
    """Who does the work.

    Attributes:
        spread: The engine.
        processes: Of this machine, for ``local``; the number of partitions otherwise. One or more.
    """

    spread: Spread = Spread.LOCAL
    processes: int = 1

    def given(self, frame: pd.DataFrame) -> Any:  # noqa: ANN401  # a pandas, Dask or Ray frame: no common type
        """The frame as the engine takes it.

        Raises:
            Unavailable: ``spread-not-installed``.
        """
        if self.spread is Spread.LOCAL:
            return frame
        try:
            if self.spread is Spread.DASK:
                return import_module("dask.dataframe").from_pandas(frame, npartitions=max(self.processes, 2))
            import_module("fugue_ray")
            return import_module("ray").data.from_pandas(frame)
        except ImportError as error:
            raise Unavailable("spread-not-installed", spread=self.spread.value) from error

    def gathered(self, frame: Any) -> pd.DataFrame:  # noqa: ANN401  # see ``given``
        """What the engine gave back, in this process."""
        found = frame
        if self.spread is Spread.DASK:
            found = frame.compute()
        if self.spread is Spread.RAY:
            found = frame.to_pandas()
        return pd.DataFrame(found)
