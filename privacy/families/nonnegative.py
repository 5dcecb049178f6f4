"""The most likely leaves among those that are not negative.

Cutting off negative leaves one by one, or while splitting numbers from the top down, moves weight towards where least
is counted: over a thousand sparse cells of a province that adds up to many times the noise of its total. So all tables
are asked at once: the leaves x >= 0 for which (x - e)' J (x - e) is smallest, with e the estimates and J^-1 their
covariance, which is the likelihood of everything that was measured under Gaussian noise.

The method is the alternating direction method of multipliers (Boyd et al. 2011, "Distributed optimization and
statistical learning via the alternating direction method of multipliers", sections 3 and 5.2): each round is one
solution by least squares with firmer leaves, and one cutting off.
"""

import numpy as np

from privacy.families.axes import Floats, roll_up_floats
from privacy.families.gls import Design, cell_variances

FIRMNESS = 0.6
"""The penalty's weight, in what all tables say of a leaf; the number of rounds depends on it, the result does not."""

RELAXATION = 1.7
CHECKED_EVERY = 5
MOST_ROUNDS = 100
LARGEST_DIFFERENCE = 0.1
"""The rounds end when the two sides differ in no table by more than this part of its error, root mean square."""


def nonnegative(design: Design, estimates: Floats) -> Floats:
    """The most likely leaves that are not negative, one array axis for each axis.

    Args:
        design: What was measured.
        estimates: The unbiased estimates of the leaves.
    """
    if (estimates >= 0).all():
        return estimates
    tolerated = [LARGEST_DIFFERENCE**2 * float(variances.mean()) for variances in cell_variances(design)]
    penalty = FIRMNESS * design.diagonal
    firm = design.with_firmer_leaves(penalty)
    cut = np.maximum(estimates, 0.0)
    debt = np.zeros(estimates.shape)
    for turn in range(1, MOST_ROUNDS + 1):
        smooth = estimates + firm.solved(penalty * (cut - debt - estimates))
        ahead = RELAXATION * smooth + (1 - RELAXATION) * cut
        cut = np.maximum(ahead + debt, 0.0)
        debt += ahead - cut
        if turn % CHECKED_EVERY == 0 and _agree(design, cut - smooth, tolerated):
            break
    return np.asarray(cut)


def _agree(design: Design, difference: Floats, tolerated: list[float]) -> bool:
    return all(
        float((roll_up_floats(design.axes, table, difference) ** 2).mean()) <= limit
        for table, limit in zip(design.tables, tolerated, strict=True)
    )
