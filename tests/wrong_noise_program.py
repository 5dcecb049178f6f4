"""``saphan``, but with noise 1.2 times too small for what is claimed: what the privacy audit must find out.

python -m tests.wrong_noise_program connector serve --home .
"""

import sys
from collections.abc import Callable, Sequence

from privacy import release
from privacy.mechanisms import draw_gaussian, draw_laplace
from saphan.__main__ import command_line

TOO_SMALL = 1.2

Draw = Callable[[Sequence[int], float], list[int]]


def too_small(draw: Draw) -> Draw:
    return lambda cells, scale: draw(cells, scale / TOO_SMALL)


if __name__ == "__main__":
    for right in (draw_gaussian, draw_laplace):
        assert hasattr(release, right.__name__)
        setattr(release, right.__name__, too_small(right))
    command_line(sys.argv[1:])()
