"""The noise: the only importer of OpenDP, one set of functions a mechanism.

Of OpenDP only integer ``make_gaussian`` and ``make_laplace`` and the conversion maps are used: they draw exactly, by
proven samplers. Grids of more than ``LARGEST_EXACT`` cells get their Gaussian noise from
``privacy.table_sampler``. All randomness is the operating system's; noise is never drawn from numpy's or Python's
generators.

Forked workers never share noise. The table sampler keeps no state. OpenDP reads the generator of the OpenSSL that it
carries, which does live in the process, but seeds itself anew from the system as soon as it finds itself under
another process number. Tests fork workers after both were used.
"""

import math
import os
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from operator import add
from typing import Any

from opendp.combinators import make_pureDP_to_zCDP, make_zCDP_to_approxDP
from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_gaussian, make_laplace
from opendp.metrics import absolute_distance, l1_distance, l2_distance
from opendp.mod import enable_features

from contracts.errors import InvalidInput
from privacy import table_sampler
from privacy.table_sampler import Entropy

NANO = 1_000_000_000
LARGEST_CELL = 2**52
"""Figures are clamped to this size, before and after the noise: every one has a canonical form and none wraps."""

LARGEST_EXACT = 200_000
"""Grids of up to so many cells get OpenDP's Gaussian noise, a few seconds of work; larger ones a table's."""

LARGEST_SENSITIVITY = 2**62
HIGHEST_PRICE = 10**30
LARGEST_CONVERTED = 200 * NANO
SIGMA_BITS = 24
ERROR_RISK = 0.05

enable_features("contrib")
_VECTORS = vector_domain(atom_domain(T="i64"))
_EUCLIDEAN = l2_distance(T=float)
_ABSOLUTE = l1_distance(T="i64")


@lru_cache(maxsize=4096, typed=True)
def gaussian_scale(l2_squared: int, nano_rho: int) -> float:
    """The smallest scale at which the discrete Gaussian costs at most ``nano_rho`` (zCDP).

    Source: Canonne, Kamath, Steinke 2020, "The Discrete Gaussian for Differential Privacy", theorem 14: rho equals
    l2^2 / (2 sigma^2). The price is then read from OpenDP's own map, and the scale raised until it fits.

    Args:
        l2_squared: The square of how far one person can move the vector, in the unit of its cells, Euclidean.
        nano_rho: The price.

    Returns:
        A scale of 24 significant bits.

    Raises:
        InvalidInput: ``sensitivity-not-positive`` or ``price-not-positive``.
    """
    _check_sensitivity(l2_squared, LARGEST_SENSITIVITY**2)
    sigma = _rounded_up(_root(l2_squared) / math.sqrt(2 * _checked_price(nano_rho) / NANO))
    while gaussian_cost(l2_squared, sigma) > nano_rho:
        sigma = _rounded_up(sigma * (1 + 2.0**-SIGMA_BITS))
    return sigma


def gaussian_cost(l2_squared: int, sigma: float) -> int:
    """What the discrete Gaussian of that scale costs, in nano-rho, rounded up; the figure is OpenDP's.

    Takes the square of the distance, whose root is rounded up to the next float.

    Raises:
        InvalidInput: ``sensitivity-not-positive`` or ``scale-out-of-range``.
    """
    _check_sensitivity(l2_squared, LARGEST_SENSITIVITY**2)
    return math.ceil(float(_gaussian(_checked_scale(sigma)).map(_root(l2_squared))) * NANO)


def scaled_sigma(sigma: float, amount: int) -> float:
    """The scale for a sum whose rows are clamped to ``amount``, where ``sigma`` is the scale for counting them.

    Never less than ``amount * sigma``, so that the sum, or a cell of it, never costs more than the count.

    Raises:
        InvalidInput: ``sensitivity-not-positive`` or ``scale-out-of-range``.
    """
    _check_sensitivity(amount, LARGEST_SENSITIVITY)
    return _checked_scale(_rounded_up(amount * Fraction(_checked_scale(sigma))))


def draw_gaussian(cells: Sequence[int], sigma: float, entropy: Entropy = os.urandom) -> list[int]:
    """Add discrete Gaussian noise to every cell, empty ones too.

    Up to ``LARGEST_EXACT`` cells the law is exact; beyond, ``sampler_delta`` says what the difference costs.

    Args:
        cells: Exact figures, whole units, as integers of Python.
        sigma: The scale of each cell's noise.
        entropy: Where the table sampler's bytes come from; only tests pass another.

    Returns:
        Signed, unbiased, unclipped figures in the same order, none larger than ``LARGEST_CELL`` either way.

    Raises:
        InvalidInput: ``cells-not-whole`` or ``scale-out-of-range``.
    """
    exact, scale = _whole(cells), _checked_scale(sigma)
    if _from_table(len(exact)):
        noise = table_sampler.draw(scale, len(exact), entropy)
        return within(list(map(add, exact, noise.tolist())))
    return within(_gaussian(scale)(exact))


def sampler_delta(sigma: float, cells: int, epsilon: float) -> float:
    """What the noise of so many cells adds to delta, because it is not exactly discrete Gaussian.

    If the exact mechanism is (epsilon, delta)-private and each answer of the real one is within a total variation of t
    of the exact one's, on both of two neighbouring data sets, the real one is (epsilon, delta + (1 + exp(epsilon)) t).

    Args:
        sigma: The scale of each cell's noise.
        cells: How many cells are drawn at once.
        epsilon: The loss, of everything together, beside which this delta will stand.

    Returns:
        0 for OpenDP's noise, at most 1.

    Raises:
        InvalidInput: ``scale-out-of-range``.
    """
    scale = _checked_scale(sigma)
    if not _from_table(cells):
        return 0.0
    if not epsilon < table_sampler.UNIFORM_BITS:
        return 1.0
    return min(1.0, (1 + math.exp(epsilon)) * cells * table_sampler.distance(scale) * (1 + 2.0**-SIGMA_BITS))


@lru_cache(maxsize=4096, typed=True)
def laplace_scale(l1: int, nano_rho: int) -> float:
    """The smallest scale at which the discrete Laplace costs at most ``nano_rho`` (zCDP).

    Pure epsilon e is rho = e^2 / 2 (Bun, Steinke 2016, "Concentrated Differential Privacy", proposition 1.4), and e is
    l1 / scale. The price is then read from OpenDP's own maps, and the scale raised until it fits.

    Args:
        l1: How far one person can move the vector, in the unit of its cells, as a sum of absolute differences.
        nano_rho: The price.

    Raises:
        InvalidInput: ``sensitivity-not-positive`` or ``price-not-positive``.
    """
    _check_sensitivity(l1, LARGEST_SENSITIVITY)
    scale = _rounded_up(l1 / math.sqrt(2 * _checked_price(nano_rho) / NANO))
    while laplace_price(l1, scale) > nano_rho:
        scale = _rounded_up(scale * (1 + 2.0**-SIGMA_BITS))
    return scale


def laplace_price(l1: int, scale: float) -> int:
    """What the discrete Laplace of that scale costs, in nano-rho, rounded up; the figure is OpenDP's.

    Raises:
        InvalidInput: ``sensitivity-not-positive`` or ``scale-out-of-range``.
    """
    concentrated: Any = make_pureDP_to_zCDP(_laplace(l1, scale))
    return math.ceil(float(concentrated.map(l1)) * NANO)


def laplace_epsilon(l1: int, scale: float) -> float:
    """The pure epsilon of the discrete Laplace of that scale, by OpenDP's map, which rounds up.

    Raises:
        InvalidInput: ``sensitivity-not-positive`` or ``scale-out-of-range``.
    """
    return float(_laplace(l1, scale).map(l1))


def laplace_sigma(scale: float) -> float:
    """The standard deviation of the discrete Laplace, P(x) proportional to exp(-|x| / scale).

    Its variance is 2 q / (1 - q)^2 with q = exp(-1 / scale), which is 1 / (2 sinh^2(1 / (2 scale))).
    """
    half = 1 / (2 * _checked_scale(scale))
    return 0.0 if half > table_sampler.UNIFORM_BITS else 1 / (math.sqrt(2) * math.sinh(half))


def laplace_error_95(scale: float) -> float:
    """The smallest whole number that the noise exceeds, either way, with a probability of at most 5 %.

    P(|X| > e) = 2 q^(e + 1) / (1 + q) with q = exp(-1 / scale).
    """
    checked = _checked_scale(scale)
    q = math.exp(-1 / checked)
    return float(max(0, math.ceil(checked * math.log(2 / ((1 + q) * ERROR_RISK)) - 1)))


def draw_laplace(cells: Sequence[int], scale: float) -> list[int]:
    """Add discrete Laplace noise to every cell, empty ones too; exact, by OpenDP, whatever the number of cells.

    A table would be faster, but then the promise would no longer be a pure epsilon. See ``draw_gaussian`` for the
    arguments, the figures and the errors.
    """
    exact = _whole(cells)
    return within(make_laplace(_VECTORS, _ABSOLUTE, scale=_checked_scale(scale))(exact))


def within(cells: Sequence[int]) -> list[int]:
    """The same figures, each as ``clamped`` gives it; nearly always there is nothing to clamp."""
    if cells and (max(cells) > LARGEST_CELL or min(cells) < -LARGEST_CELL):
        return [clamped(cell) for cell in cells]
    return list(cells)


def clamped(cell: int) -> int:
    """A figure no larger, either way, than ``LARGEST_CELL``."""
    return max(-LARGEST_CELL, min(LARGEST_CELL, int(cell)))


@lru_cache(maxsize=4096, typed=True)
def epsilon_of(nano_rho: int, delta: str) -> float:
    """The epsilon at ``delta`` of a total zCDP loss: OpenDP's conversion, tighter than the textbook formula.

    Beyond ``LARGEST_CONVERTED``, where the conversion overflows, it is rho + 2 sqrt(rho ln(1/delta)): Bun, Steinke
    2016, "Concentrated Differential Privacy", proposition 1.3. Neither is smaller than the true epsilon.

    Raises:
        InvalidInput: ``price-not-positive``, for a loss below 0.
    """
    if type(nano_rho) is not int or nano_rho < 0:
        raise InvalidInput("price-not-positive")
    if nano_rho == 0:
        return 0.0
    if nano_rho > LARGEST_CONVERTED:
        rho = nano_rho / NANO
        return rho + 2 * math.sqrt(rho * math.log(1 / float(delta)))
    scale = 1 / math.sqrt(2 * nano_rho / NANO)
    number = make_gaussian(atom_domain(T="i64"), absolute_distance(T=float), scale=scale)
    curve: Any = make_zCDP_to_approxDP(number)
    return float(curve.map(1.0).epsilon(float(delta)))


@lru_cache(maxsize=256)
def _gaussian(scale: float) -> Any:  # noqa: ANN401  # OpenDP's measurements are untyped
    """OpenDP's mechanism of a checked scale: a law without a state, each draw of which takes fresh randomness."""
    return make_gaussian(_VECTORS, _EUCLIDEAN, scale=scale)


def _laplace(l1: int, scale: float) -> Any:  # noqa: ANN401  # OpenDP's measurements are untyped
    _check_sensitivity(l1, LARGEST_SENSITIVITY)
    return make_laplace(_VECTORS, _ABSOLUTE, scale=_checked_scale(scale))


def _rounded_up(scale: float | Fraction) -> float:
    """The next scale of few significant bits: the exact sampler computes with fractions, and short ones are faster."""
    _, exponent = math.frexp(scale)
    unit = Fraction(2) ** (exponent - SIGMA_BITS)
    return float(math.ceil(Fraction(scale) / unit) * unit)


def _root(square: int) -> float:
    """The smallest float whose square is no less."""
    root = math.sqrt(square)
    while Fraction(root) ** 2 < square:
        root = math.nextafter(root, math.inf)
    return root


def _from_table(cells: int) -> bool:
    """Whether so many cells get their Gaussian noise from the table sampler, and delta is charged for it."""
    return cells > LARGEST_EXACT


def _whole(cells: Sequence[int]) -> list[int]:
    """Clamped figures; truth values, floats and everything else that is not an integer of Python are refused."""
    if not set(map(type, cells)) <= {int}:
        raise InvalidInput("cells-not-whole")
    return within(cells)


def _checked_price(nano_rho: int) -> int:
    """A price above zero; one at which no noise is left is no better for being higher."""
    if type(nano_rho) is not int or nano_rho < 1:
        raise InvalidInput("price-not-positive")
    return min(nano_rho, HIGHEST_PRICE)


def _check_sensitivity(distance: int, largest: int) -> None:
    if type(distance) is not int or not 0 < distance <= largest:
        raise InvalidInput("sensitivity-not-positive")


def _checked_scale(scale: float) -> float:
    """A finite scale above zero; the largest leaves room in 64 bits for any draw."""
    if type(scale) is not float or not 0 < scale <= table_sampler.WIDEST_SIGMA:
        raise InvalidInput("scale-out-of-range")
    return scale
