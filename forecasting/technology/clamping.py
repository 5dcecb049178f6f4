"""What clamping takes from the sums of damage: released sums understate, and some types more than others.

Each complaint counts with at most its type's clamp. The released sum is an unbiased figure of the clamped sum, never of
the whole. With damage of a log-normal law the part that is kept follows from the law and the clamp. The law is partly
assumed, so that the part never enters a released figure: it stands beside it, and orders that would turn round if the
whole sums were compared are flagged.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scipy.special import ndtr

from forecasting.technology.ranking import Ranked

_FILE = Path(__file__).with_name("amounts.toml")


@dataclass(frozen=True, slots=True)
class Amount:
    """The law of one complaint's damage: log-normal with these parameters; its clamp in baht.

    ``published`` says that its mean follows from published totals; its spread is assumed all the same.
    """

    mu: float
    sigma: float
    clamp: float
    published: bool

    @property
    def mean(self) -> float:
        """The mean damage in baht."""
        return math.exp(self.mu + self.sigma**2 / 2)

    @property
    def kept(self) -> float:
        """The part of the sum that is left after clamping, 0 to 1: E[min(X, clamp)] / E[X]."""
        place = (math.log(self.clamp) - self.mu) / self.sigma
        below = float(ndtr(place - self.sigma))
        return below + self.clamp * (1.0 - float(ndtr(place))) / self.mean


@lru_cache(maxsize=1)
def amounts() -> Mapping[str, Amount]:
    """The law of each type of case."""
    given = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {code: Amount(**fields) for code, fields in given.items()}


def turned_round(ranked: Sequence[Ranked]) -> frozenset[str]:
    """The labels that would stand below the next one if both sums were whole, by the laws of their damage."""
    laws = amounts()
    whole = [each.figure / laws[each.label].kept if each.label in laws else each.figure for each in ranked]
    pairs = zip(ranked, whole, whole[1:], strict=False)
    return frozenset(each.label for each, own, below in pairs if own < below)
