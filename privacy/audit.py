"""Statistics that find out from outside how private a mechanism really is: from its answers and its claims alone.

Two worlds are neighbours when one person is added. Each array holds independent answers of one world. What is found is
a *lower* bound of the loss: a bound above the claim proves the claim wrong, a bound below it proves nothing. A fit
tells a wrong scale, not an inexact sampler: that is what the unit tests of ``privacy.mechanisms`` pin.

Sources: Clopper, Pearson 1934, "The use of confidence or fiducial limits" (exact binomial bounds); Kairouz, Oh,
Viswanath 2015, "The composition theorem for differential privacy", theorem 2.1 (the hypothesis-testing region); Ding
and others 2018, "Detecting violations of differential privacy" (events chosen on answers of their own); Bun, Steinke
2016, "Concentrated differential privacy", proposition 1.6 (the Gaussian's rho); Hedges, Olkin 1985, "Statistical
methods for meta-analysis", chapter 5 (the variance of a standardised difference); Pearson 1900 (chi-square).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, stats

from contracts.errors import InvalidInput
from contracts.query import Mechanism
from contracts.values import Value

Answers = NDArray[np.int64]
"""One answer of a world in each element."""

FEWEST: Final = 2_000
"""Below this many answers of each world the normal approximations do not hold, and no bound would say anything."""

MISS: Final = 0.01
"""How likely a bound that is shown may lie above the truth: it holds at 99 %."""

FALSE_ALARM: Final = 1e-6
"""How likely each test of an audit may call a true claim wrong: its verdict needs to be as sure as that."""

CHOICE_MISS: Final = 1e-12
"""Events are chosen by a far surer bound than is shown, so that none wins because it is rare and was lucky."""

LEAST_EXPECTED: Final = 20
"""The least expected count of a bin: the chi-square law then holds far enough into its tail for small p-values."""

SUPPORT_IN_SCALES: Final = 40
THRESHOLDS: Final = 200
ITSELF: Final = 1
"""Distances within one release start here: at 0 every noise equals itself."""


class Event(NamedTuple):
    """An answer at or beyond ``threshold``, upwards if ``above``.

    It is held to be likelier with the person than without if ``present``, else the other way round.
    """

    present: bool
    above: bool
    threshold: int

    def hits(self, answers: Answers) -> int:
        """In how many answers it occurred."""
        return int(np.count_nonzero(answers >= self.threshold if self.above else answers <= self.threshold))


@dataclass(frozen=True, slots=True)
class Worlds:
    """Answers of two neighbouring worlds, and their exact figures: ``present`` has one person more in each cell."""

    absent: Answers
    present: Answers
    exact_absent: int
    exact_present: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What the releases say of the noise in one cell.

    ``sigma`` is the standard deviation of the law; ``rho`` is none for a pure epsilon, whose ``delta`` is 0.
    """

    mechanism: Mechanism
    sigma: float
    epsilon: float
    delta: float
    rho: float | None


class Findings(Value):
    """What an audit found: bounds at 99 % beside their claims, p-values, and the names of the tests that failed.

    ``epsilon_bound`` holds for any mechanism, ``rho_bound`` for Gaussian noise. A test fails when even its bound at one
    in a million lies above the claim, or when its p-value lies below one in a million.
    """

    answers: int
    epsilon_claimed: float
    delta: float
    epsilon_bound: float
    rho_claimed: float | None
    rho_bound: float | None
    fit_p_value: float
    independence_p_value: float
    failed: tuple[str, ...]


def examine(worlds: Worlds, claim: Claim) -> Findings:
    """Hold the answers of two neighbouring worlds against the claim that was made for them.

    Raises:
        InvalidInput: ``audit-too-small``.
    """
    if min(len(worlds.absent), len(worlds.present)) < FEWEST:
        raise InvalidInput("audit-too-small", fewest=FEWEST)
    absent, present = worlds.absent - worlds.exact_absent, worlds.present - worlds.exact_present
    fit = noise_fit(np.concatenate((absent, present)), claim.mechanism, claim.sigma)
    pairs = ((absent, absent), (present, present), (absent, present))
    independence = min(1.0, len(pairs) * min(dependence(*pair) for pair in pairs))
    rho = math.inf if claim.rho is None else claim.rho
    failed = {
        "epsilon": epsilon_bound(worlds, claim.delta, FALSE_ALARM) > claim.epsilon,
        "rho": rho_bound(worlds, FALSE_ALARM) > rho,
        "fit": fit < FALSE_ALARM,
        "independence": independence < FALSE_ALARM,
    }
    return Findings(
        answers=len(absent) + len(present),
        epsilon_claimed=claim.epsilon,
        delta=claim.delta,
        epsilon_bound=epsilon_bound(worlds, claim.delta, MISS),
        rho_claimed=claim.rho,
        rho_bound=None if claim.rho is None else rho_bound(worlds, MISS),
        fit_p_value=fit,
        independence_p_value=independence,
        failed=tuple(name for name, wrong in failed.items() if wrong),
    )


def epsilon_bound(worlds: Worlds, delta: float, miss: float) -> float:
    """A lower bound of epsilon at ``delta`` that holds for any mechanism, whatever its noise.

    An (epsilon, delta)-private mechanism has P(S) <= e^epsilon Q(S) + delta for every event S, so that
    ln((P(S) - delta) / Q(S)) is a lower bound. The event is chosen on every second answer; its two probabilities are
    bounded on the others, each missed with half of ``miss``.

    Args:
        worlds: The answers.
        delta: 0 for a pure epsilon.
        miss: How likely the bound may lie above the true epsilon.
    """
    absent, present = worlds.absent, worlds.present
    events = _events(absent[::2], present[::2])
    chosen = max(events, key=lambda event: _bound(event, absent[::2], present[::2], (delta, CHOICE_MISS)))
    return max(0.0, _bound(chosen, absent[1::2], present[1::2], (delta, miss)))


def rho_bound(worlds: Worlds, miss: float) -> float:
    """A lower bound of rho (zCDP) for Gaussian noise, (mu1 - mu0)^2 / (2 sigma^2); ``noise_fit`` tells if it is.

    The standardised difference d of n and m answers has the variance 1/n + 1/m + d^2 / (2 (n + m)); the bound is the
    one-sided normal one. For other noise it is no bound, yet noise that is not Gaussian breaks the claim as well. Noise
    that never varies counts as if one answer of all had differed by one.

    Args:
        worlds: The answers.
        miss: How likely the bound may lie above the true rho.
    """
    n, m = len(worlds.absent), len(worlds.present)
    squares = (n - 1) * float(worlds.absent.var(ddof=1)) + (m - 1) * float(worlds.present.var(ddof=1))
    shift = abs(float(worlds.present.mean() - worlds.absent.mean()))
    d = shift / math.sqrt(max(1.0, squares) / (n + m - 2))
    deviation = math.sqrt(1 / n + 1 / m + d * d / (2 * (n + m)))
    return max(0.0, d - float(stats.norm.isf(miss)) * deviation) ** 2 / 2


def noise_fit(noise: Answers, mechanism: Mechanism, sigma: float) -> float:
    """The p-value of the chi-square fit of released noise to the law that was claimed.

    Args:
        noise: Released less exact figures.
        mechanism: The claimed law over the integers: exp(-x^2 / (2 s^2)) or exp(-abs(x) / s), up to a factor.
        sigma: Its standard deviation; the Gaussian's s itself, and the Laplace's s follows from it.
    """
    scale = sigma if mechanism is Mechanism.GAUSSIAN else laplace_parameter(sigma)
    reach = math.ceil(SUPPORT_IN_SCALES * scale)
    support = np.arange(-reach, reach + 1) / scale
    weights = np.exp(-np.square(support) / 2 if mechanism is Mechanism.GAUSSIAN else -np.abs(support))
    expected = weights / weights.sum() * len(noise)
    observed = np.bincount(np.clip(noise, -reach, reach) + reach, minlength=len(expected))
    cuts = _cuts(expected)
    found = stats.chisquare(np.add.reduceat(observed, cuts), np.add.reduceat(expected, cuts), sum_check=False)
    return float(found.pvalue)


def dependence(first: Answers, second: Answers) -> float:
    """The p-value of the largest correlation of two releases' noise, over every distance between their cells.

    Noise that repeats (a fork that shares its generator's state, a seed used twice, a table read twice) correlates at
    some distance. Of independent noise each correlation times the root of n is nearly a standard normal; the p-value is
    that of the largest, times the number of distances (Bonferroni). Noise that never varies has a p-value of 0.

    Args:
        first: Released less exact figures of one release.
        second: Of another release with as many cells, or the same array: then the distance 0 does not count.
    """
    n = len(first)
    if not (first.std() and second.std()):
        return 0.0
    a, b = ((each - each.mean()) / each.std() for each in (first, second))
    correlations = fft.irfft(np.conj(fft.rfft(a)) * fft.rfft(b), n) / n
    counted = correlations[ITSELF : n // 2 + 1] if first is second else correlations
    largest = float(np.abs(counted).max()) * math.sqrt(n)
    return min(1.0, len(counted) * 2 * float(stats.norm.sf(largest)))


def clopper_pearson(hits: int, trials: int, miss: float) -> tuple[float, float]:
    """The exact lower and upper bound of a probability, each missed with at most ``miss``."""
    low = float(stats.beta.ppf(miss, hits, trials - hits + 1)) if hits else 0.0
    high = float(stats.beta.isf(miss, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high


def laplace_parameter(sigma: float) -> float:
    """The s of the discrete Laplace exp(-abs(x) / s) with that standard deviation.

    With q = exp(-1 / s) the variance is 2 q / (1 - q)^2 (Inusah, Kozubowski 2006, "A discrete analogue of the Laplace
    distribution", proposition 2.2); cosh(1 / s) = 1 + 1 / sigma^2 says the same.
    """
    return 1 / math.acosh(1 + 1 / (sigma * sigma))


def _events(absent: Answers, present: Answers) -> Iterator[Event]:
    steps = np.linspace(0, 1, THRESHOLDS + 1)
    for threshold in np.unique(np.quantile(np.concatenate((absent, present)), steps, method="nearest")):
        for with_person in (True, False):
            for above in (True, False):
                yield Event(with_person, above, int(threshold))


def _bound(event: Event, absent: Answers, present: Answers, terms: tuple[float, float]) -> float:
    delta, miss = terms
    likelier, rarer = (present, absent) if event.present else (absent, present)
    low, _ = clopper_pearson(event.hits(likelier), len(likelier), miss / 2)
    _, high = clopper_pearson(event.hits(rarer), len(rarer), miss / 2)
    return math.log((low - delta) / high) if low > delta else -math.inf


def _cuts(expected: NDArray[np.float64]) -> list[int]:
    """Where each bin starts: as narrow as ``LEAST_EXPECTED`` allows, what is left over joins the last one."""
    cuts, held = [0], 0.0
    for place, each in enumerate(expected):
        if held >= LEAST_EXPECTED:
            cuts.append(place)
            held = 0.0
        held += float(each)
    return cuts if held >= LEAST_EXPECTED else cuts[:-1]
