"""An exploratory view: how far each factor moves the rate that boosted trees expect, on areas they have not seen.

The contributions are LightGBM's own (``pred_contrib``), which are the Shapley values of its trees. Trees see bends and
joint workings that a rate ratio does not; they have no intervals and no errors, and a factor that stands for another
one takes its part. So the view never speaks of size and never stands alone.
"""

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from contracts.errors import InvalidInput, Refused
from forecasting.factors.design import Design
from forecasting.panel import Floats

FOLDS = 5
TREES = 120
LEAVES = 8
FEWEST_IN_LEAF = 40
FEWEST_AREAS = 2 * FOLDS


@dataclass(frozen=True, slots=True)
class Contribution:
    """How far one factor moved the expected rate, on average over the cells, in per cent of the mean rate.

    ``direction`` is the correlation of the factor with its own contribution, -1 to 1: above 0, higher goes with higher.
    """

    name: str
    mean_percent: float
    direction: float


@dataclass(frozen=True, slots=True)
class Contributions:
    """The view, and its skill: the share of the squared spread that the trees explain in areas not seen.

    At 0 or below they explain nothing, and no contribution tells anything. Noise that is known to be in the rates is
    taken off what there was to explain.
    """

    factors: tuple[Contribution, ...]
    skill: float


def contributions_of(design: Design, seed: int = 0) -> Contributions:
    """Train on four fifths of the areas, explain the last fifth, five times.

    Args:
        design: At least ten areas.
        seed: Of the trees.

    Raises:
        Refused: ``lightgbm-not-installed``.
        InvalidInput: ``covariates-invalid`` with fewer areas.
    """
    booster = _lightgbm()
    areas, periods = design.outcome.figures.shape
    if areas < FEWEST_AREAS:
        raise InvalidInput("covariates-invalid", where="the areas", why=f"{FEWEST_AREAS} are needed, {areas} are there")
    columns = np.stack([each.figures for each in design.factors], axis=-1).reshape(areas * periods, -1)
    weights = design.exposure.ravel()
    rates = design.outcome.figures.ravel() / weights
    folds = np.repeat(np.arange(areas) % FOLDS, periods)
    parts = np.zeros((len(rates), columns.shape[1] + 1))
    centres = np.zeros(len(rates))
    for fold in range(FOLDS):
        held = folds == fold
        parts[held] = _explained(booster, columns, (rates, weights), held, seed)
        centres[held] = np.average(rates[~held], weights=weights[~held])
    return _summed(design, columns, parts, centres)


def _explained(
    booster: ModuleType, columns: Floats, seen: tuple[Floats, Floats], held: NDArray[np.bool_], seed: int
) -> Floats:
    """The contributions of each factor, and the mean, on the cells held out: cells x (factors + 1)."""
    rates, weights = seen
    model = booster.LGBMRegressor(
        objective="regression",
        n_estimators=TREES,
        num_leaves=LEAVES,
        min_child_samples=FEWEST_IN_LEAF,
        learning_rate=0.05,
        random_state=seed,
        deterministic=True,
        force_row_wise=True,
        n_jobs=1,
        verbose=-1,
    )
    model.fit(columns[~held], rates[~held], sample_weight=weights[~held])
    return np.asarray(model.booster_.predict(columns[held], pred_contrib=True), dtype=np.float64)


def _summed(design: Design, columns: Floats, parts: Floats, centres: Floats) -> Contributions:
    weights = design.exposure.ravel()
    rates = design.outcome.figures.ravel() / weights
    mean = float(np.average(rates, weights=weights))
    noise = float(np.average((design.outcome.sigmas.ravel() / weights) ** 2, weights=weights))
    wrong = float(np.average((rates - parts.sum(axis=1)) ** 2, weights=weights)) - noise
    plain = float(np.average((rates - centres) ** 2, weights=weights)) - noise
    factors = tuple(
        Contribution(
            name=factor.name,
            mean_percent=100.0 * float(np.average(np.abs(parts[:, place]), weights=weights)) / abs(mean),
            direction=_correlation(columns[:, place], parts[:, place]),
        )
        for place, factor in enumerate(design.factors)
    )
    ordered = tuple(sorted(factors, key=lambda each: each.mean_percent, reverse=True))
    return Contributions(ordered, 1.0 - wrong / plain if plain > 0 else 0.0)


def _correlation(figures: Floats, parts: Floats) -> float:
    spread = float(figures.std() * parts.std())
    return float(((figures - figures.mean()) * (parts - parts.mean())).mean()) / spread if spread > 0 else 0.0


def _lightgbm() -> ModuleType:
    # Loaded here because it is an extra, and slow to load.
    try:
        return import_module("lightgbm")
    except ImportError as error:
        raise Refused("lightgbm-not-installed") from error
