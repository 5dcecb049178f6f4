"""Releases and panels with a planted truth, for tests of forecasting and of the centre."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from contracts.dataset import ProtectAt, Tier
from contracts.grid import Axis, Grid
from contracts.identifiers import Code
from contracts.periods import Period
from contracts.query import Query
from contracts.release import Derived, Promise, ReleaseBody, Released
from forecasting.panel import Floats, Panel, panel_of_cells
from tests import factories

SIGMA = 4.0
START = "2021-01"


def month_names(count: int, start: str = START) -> tuple[str, ...]:
    """Consecutive months as ``YYYY-MM``."""
    return tuple(str(month) for month in pd.period_range(start, periods=count, freq="M"))


def season(count: int, strength: float = 0.3) -> Floats:
    """A wave over the year around 1, from January."""
    return 1.0 + strength * np.sin(2 * np.pi * np.arange(count) / 12)


def noisy(truth: Floats, seed: int, sigma: float = SIGMA) -> Floats:
    """Counts drawn around a truth, and rounded noise on top; signed."""
    draw = np.random.default_rng(seed)
    return np.asarray(draw.poisson(truth) + np.rint(draw.normal(0.0, sigma, truth.shape)), dtype=np.float64)


def panel(values: Floats, sigma: float = SIGMA, groups: int = 1) -> Panel:
    """A panel of provinces x offence groups, the groups of one province next to each other."""
    provinces = [f"P{number}" for number in range(len(values) // groups)]
    index = pd.MultiIndex.from_product(
        [provinces, [f"G{number + 1}" for number in range(groups)]], names=["province", "offence_group"]
    )
    columns = pd.period_range(START, periods=values.shape[1], freq="M")
    return Panel(pd.DataFrame(values, index=index, columns=columns), sigma**2)


def grid(**axes: Sequence[Code]) -> Grid:
    """A grid of named axes."""
    return Grid(axes=tuple(Axis(name=name, values=tuple(values)) for name, values in axes.items()))


def body(cells: Grid, figures: Sequence[int], period: Period | None = None, /, **changes: object) -> ReleaseBody:
    """The body of a release of counts over a grid."""
    contract = factories.contract()
    asked = Query(
        measures=("count",), dimensions=tuple(axis.name for axis in cells.axes), period=period or factories.period()
    )
    fields: dict[str, object] = {
        "id": "REL-0001",
        "request_id": "REQ-0001",
        "request_digest": contract.digest,
        "agreement": "AGR-2569-001",
        "agreement_digest": contract.digest,
        "activity": "crimes-monthly",
        "requester": "oja",
        "purpose": "crime-prevention",
        "tier": Tier.STATISTICS,
        "public": True,
        "query": asked,
        "grid": cells,
        "released": (
            Released(measure="count", unit="cases", cells=tuple(figures), sigma=SIGMA, expected_error_95=1.96 * SIGMA),
        ),
        "derived": (Derived(measure="damage_thb:mean", unit="THB", cells=(None,), errors_95=(None,)),),
        "charges": (),
        "epsilon": 0.5,
        "delta": "1e-6",
        "promises": (
            Promise(
                contract=contract.reference,
                person=contract.unit.person,
                protect_at=ProtectAt.GATEWAY,
                rows_per_window=2,
                epsilon=1.0,
                delta="1e-6",
                data_version=1,
            ),
        ),
        "parts": (),
        "created": factories.NOW,
    }
    return ReleaseBody.model_validate(fields | changes)


def monthly_body(truth: Floats, seed: int = 1, **changes: object) -> ReleaseBody:
    """A noisy release by month, province and offence group; ``truth`` is months x provinces x groups."""
    months, provinces, groups = truth.shape
    cells = grid(
        month=month_names(months),
        province=[str(10 + number) for number in range(provinces)],
        offence_group=[f"G{number + 1}" for number in range(groups)],
    )
    return body(cells, [int(each) for each in noisy(truth, seed).ravel()], None, **changes)


def cells_panel(cells: Grid, figures: Sequence[int]) -> Panel:
    """The panel of those cells."""
    return panel_of_cells(cells, tuple(figures), SIGMA)
