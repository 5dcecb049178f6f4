"""What is left to spend, and what one person may have lost: each window, and the sums over all that one may stand in.

Loss adds over windows and datasets. A person may have rows in every fiscal year of a dataset, and in every dataset of
the federation; the sums say what the promise comes to for such a person.
"""

from contracts.identifiers import DatasetId, NanoRho, SourceId
from contracts.periods import Window
from contracts.values import Value


class Loss(Value):
    """A budget and what became of it, in nano-rho, and the epsilon of what is spent and of all of it, at ``delta``."""

    budget: NanoRho
    spent: NanoRho
    reserved: NanoRho
    left: NanoRho
    delta: str
    epsilon_spent: float
    epsilon_budget: float


class WindowLoss(Value):
    """One window of one physical source, for a person who stands in it; ``datasets`` are all contracts over it."""

    source: SourceId
    datasets: tuple[DatasetId, ...]
    window: Window
    loss: Loss


class SourceLoss(Value):
    """The sum over all windows of one source, for one person who stands in every window."""

    source: SourceId
    datasets: tuple[DatasetId, ...]
    windows: tuple[Window, ...]
    loss: Loss


class FederationLoss(Value):
    """The sum over all windows of all sources, for one person who stands in every dataset; at the smallest delta."""

    sources: tuple[SourceId, ...]
    loss: Loss


class BudgetView(Value):
    """Every window, the sum of each source and the sum of the federation; none while nothing is published."""

    windows: tuple[WindowLoss, ...]
    sources: tuple[SourceLoss, ...]
    federation: FederationLoss | None = None
