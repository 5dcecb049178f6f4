"""What a question costs and how good its answer will be: from the contracts alone, never from the data.

The preview, the connector and the gateway call the same ``plan``, so what was shown before is what is done after.
"""

import math
from collections.abc import Sequence

from contracts.clamps import largest_amount
from contracts.dataset import DatasetContract, Grain, ProtectAt
from contracts.errors import InvalidInput
from contracts.query import Query
from contracts.release import Promise
from contracts.task import Charge
from contracts.values import Value
from privacy.mechanisms import epsilon_of, gaussian_sigma

Z_95 = 1.959963984540054
"""Half-width of the central 95 % of a Gaussian, in standard deviations."""

COUNT_UNIT = "case"


class PlannedMeasure(Value):
    """The noise of one base measure.

    ``nano_rho`` is its share of the request's price. ``sigma`` is the scale of all the noise that a cell of the
    answer carries, ``central_l2`` the sensitivity for the noise that the gateway adds, 0 when it adds none.
    """

    measure: str
    unit: str
    nano_rho: int
    sigma: float
    central_l2: int


class Plan(Value):
    """The terms of an answer: noise, charges, and the loss of one person over all windows and contracts."""

    measures: tuple[PlannedMeasure, ...]
    charges: tuple[Charge, ...]
    epsilon: float
    delta: str


def plan(query: Query, contracts: Sequence[DatasetContract], nano_rho: int) -> Plan:
    """The terms on which a checked question is answered.

    The price is split evenly over the base measures. Every window that the period touches is charged in full for every
    source, because the same rows of a person answer all the cells of a window. The loss of one person over all of
    them is never more than the sum of these charges: see ``sensitivity``.

    Args:
        query: A question that fits every contract.
        contracts: All of the question's contracts, or only an agency's own.
        nano_rho: The price in each window.

    Raises:
        InvalidInput: ``price-not-positive`` when there is less than one nano-rho for each measure.
    """
    share = nano_rho // len(query.base_measures)
    if share < 1:
        raise InvalidInput("price-not-positive")
    windows = query.period.windows()
    charges = tuple(
        Charge(source=source, window=window, nano_rho=nano_rho)
        for source in sorted({contract.source for contract in contracts})
        for window in windows
    )
    counted_once = 1 if _disjoint(contracts) else len(contracts)
    delta = min((contract.privacy.delta for contract in contracts), key=float)
    return Plan(
        measures=tuple(_planned(measure, query, contracts, share) for measure in query.base_measures),
        charges=charges,
        epsilon=epsilon_of(nano_rho * len(windows) * counted_once, delta),
        delta=delta,
    )


def promise(contract: DatasetContract, query: Query, nano_rho: int, data_version: int) -> Promise:
    """What the release promises a person of one contract's data."""
    return Promise(
        contract=contract.reference,
        person=contract.unit.person,
        protect_at=contract.privacy.protect_at,
        rows_per_window=contract.unit.rows_per_window,
        epsilon=epsilon_of(nano_rho * len(query.period.windows()), contract.privacy.delta),
        delta=contract.privacy.delta,
        data_version=data_version,
    )


def sensitivity(query: Query, contract: DatasetContract, base_measure: str) -> int:
    """How far one person can move the whole vector of a base measure (L2), such that the charges cover the loss.

    In a window at most ``rows_per_window`` rows count, and all of them may fall into one cell: the L2 distance is then
    their sum, not its root. A sum moves by the largest clamped amount that a row can have in the question: where the
    contract clamps by code, a question for some codes alone is protected at the largest of their clamps.

    Where each window has cells of its own, the losses of the windows add up, and the distance of one window is what
    counts. Where the same cells pool ``w`` windows, a person moves them by ``w`` times that distance, which costs ``w``
    squared times as much, while only ``w`` windows are charged: the distance is then widened by the root of ``w``.
    """
    rows = contract.unit.rows_per_window
    distance = rows if base_measure == "count" else rows * _largest(query, contract, base_measure)
    pooled = 1 if _separates_windows(query, contract) else len(query.period.windows())
    return _root_rounded_up(distance * distance * pooled)


def _largest(query: Query, contract: DatasetContract, base_measure: str) -> int:
    measured = contract.measure_column(base_measure.partition(":")[0])
    if measured is None:
        raise InvalidInput(
            "unknown-measure", contract=contract.id, measure=base_measure, choices=", ".join(contract.measures)
        )
    return largest_amount(contract, measured, query)


def _separates_windows(query: Query, contract: DatasetContract) -> bool:
    """Whether no cell holds rows of two windows: the months of the event time, which fiscal years consist of."""
    grouped = [contract.dimension(name) for name in query.dimensions]
    return any(d is not None and d.grain is Grain.MONTH and d.column == contract.event_time for d in grouped)


def _root_rounded_up(square: int) -> int:
    root = math.isqrt(square)
    return root if root * root == square else root + 1


def _planned(measure: str, query: Query, contracts: Sequence[DatasetContract], share: int) -> PlannedMeasure:
    central = [sensitivity(query, c, measure) for c in contracts if c.privacy.protect_at is ProtectAt.GATEWAY]
    central_l2 = (max(central) if _disjoint(contracts) else sum(central)) if central else 0
    own = [sensitivity(query, c, measure) for c in contracts if c.privacy.protect_at is ProtectAt.CONNECTOR]
    sigmas = [gaussian_sigma(l2, share) for l2 in (*own, *([central_l2] if central_l2 else []))]
    return PlannedMeasure(
        measure=measure,
        unit=unit_of(measure, contracts[0]),
        nano_rho=share,
        sigma=math.hypot(*sigmas),
        central_l2=central_l2,
    )


def unit_of(measure: str, contract: DatasetContract) -> str:
    """The unit of a measure's figures."""
    column = contract.measure_column(measure.partition(":")[0])
    return column.unit if column else COUNT_UNIT


def _disjoint(contracts: Sequence[DatasetContract]) -> bool:
    """Whether no person stands in two of the contracts: each declares it of every other, on another source."""
    pairs = [(a, b) for a in contracts for b in contracts if a is not b]
    return all(a.id in b.disjoint_from and a.source != b.source for a, b in pairs)
