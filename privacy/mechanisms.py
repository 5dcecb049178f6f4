"""The noise: the only importer of OpenDP, one function a mechanism.

Only integer ``make_gaussian`` and the conversion maps are used: they draw exactly, by a proven sampler, with randomness
from the operating system. Noise is never drawn from numpy's or Python's generators.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from opendp.combinators import make_zCDP_to_approxDP
from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_gaussian
from opendp.metrics import absolute_distance, l2_distance
from opendp.mod import enable_features

from contracts.errors import InvalidInput

NANO = 1_000_000_000
LARGEST_CELL = 2**52
"""Figures are clamped to this size, before and after the noise: every one has a canonical form and none wraps."""

LARGEST_CONVERTED = 200 * NANO
SIGMA_BITS = 24

enable_features("contrib")
_VECTORS = vector_domain(atom_domain(T="i64"))
_EUCLIDEAN = l2_distance(T=float)


@lru_cache(maxsize=4096)
def gaussian_sigma(l2: int, nano_rho: int) -> float:
    """The smallest scale at which the discrete Gaussian costs at most ``nano_rho`` (zCDP).

    Source: Canonne, Kamath, Steinke 2020, "The Discrete Gaussian for Differential Privacy", theorem 14: rho equals
    l2^2 / (2 sigma^2). The price is then read from OpenDP's own map, and the scale raised until it fits.

    Args:
        l2: How far one person can move the vector, in the unit of its cells, Euclidean. At least 1.
        nano_rho: The price, above 0.
    """
    if nano_rho < 1:
        raise InvalidInput("price-not-positive")
    sigma = _rounded_up(l2 / math.sqrt(2 * nano_rho / NANO))
    while gaussian_price(l2, sigma) > nano_rho:
        sigma = _rounded_up(sigma * (1 + 2.0**-SIGMA_BITS))
    return sigma


def _rounded_up(sigma: float) -> float:
    """The next scale of few significant bits: the exact sampler computes with fractions, and short ones are faster."""
    mantissa, exponent = math.frexp(sigma)
    return math.ldexp(math.ceil(mantissa * 2**SIGMA_BITS), exponent - SIGMA_BITS)


def gaussian_price(l2: int, sigma: float) -> int:
    """What the discrete Gaussian of that scale costs, in nano-rho, rounded up; the figure is OpenDP's."""
    mechanism: Any = make_gaussian(_VECTORS, _EUCLIDEAN, scale=sigma)
    return math.ceil(float(mechanism.map(float(l2))) * NANO)


def add_gaussian(cells: Sequence[int], l2: int, nano_rho: int) -> list[int]:
    """Add discrete Gaussian noise to every cell, empty ones too.

    Args:
        cells: Exact figures, whole units.
        l2: How far one person can move the whole vector, Euclidean.
        nano_rho: What the whole vector may cost.

    Returns:
        Signed, unbiased, unclipped figures in the same order.
    """
    mechanism = make_gaussian(_VECTORS, _EUCLIDEAN, scale=gaussian_sigma(l2, nano_rho))
    noisy: list[int] = mechanism([clamped(cell) for cell in cells])
    return [clamped(cell) for cell in noisy]


def clamped(cell: int) -> int:
    """A figure no larger, either way, than ``LARGEST_CELL``."""
    return max(-LARGEST_CELL, min(LARGEST_CELL, int(cell)))


@lru_cache(maxsize=4096)
def epsilon_of(nano_rho: int, delta: str) -> float:
    """The epsilon at ``delta`` of a total zCDP loss: OpenDP's conversion, tighter than the textbook formula.

    Beyond ``LARGEST_CONVERTED``, where the conversion overflows, it is rho + 2 sqrt(rho ln(1/delta)): Bun, Steinke
    2016, "Concentrated Differential Privacy", proposition 1.3. Neither is smaller than the true epsilon.
    """
    if nano_rho == 0:
        return 0.0
    if nano_rho > LARGEST_CONVERTED:
        rho = nano_rho / NANO
        return rho + 2 * math.sqrt(rho * math.log(1 / float(delta)))
    scale = 1 / math.sqrt(2 * nano_rho / NANO)
    number = make_gaussian(atom_domain(T="i64"), absolute_distance(T=float), scale=scale)
    curve: Any = make_zCDP_to_approxDP(number)
    return float(curve.map(1.0).epsilon(float(delta)))
