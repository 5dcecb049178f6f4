"""What every model gives: a mean, and what the known noise does to it."""

from dataclasses import dataclass
from typing import Protocol

from forecasting.panel import Floats, Panel


@dataclass(frozen=True, slots=True)
class Prediction:
    """The coming months of every series, each array series x horizon.

    Attributes:
        mean: Expected cases. Not below zero.
        noise: Variance of ``mean`` that comes from the noise in the released cells it was computed from.
        native: Variance of the coming *released* figure by the model's own formula, the coming month's noise included;
            none for a model without a formula.
    """

    mean: Floats
    noise: Floats
    native: Floats | None = None


class Model(Protocol):
    """A way to forecast. ``name`` is how scores and publications call it."""

    @property
    def name(self) -> str:
        """The name."""
        ...

    def predict(self, panel: Panel, horizon: int) -> Prediction:
        """The ``horizon`` months after the panel, which has at least 24."""
        ...
