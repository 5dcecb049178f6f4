"""Forked workers never share noise.

The forks happen in a program of their own, which has one thread and has drawn before: what a worker could inherit is
there to be inherited.
"""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

WORKERS = 4
PROGRAM = """
import os, random, sys
from privacy import table_sampler
from privacy.mechanisms import draw_gaussian, draw_laplace

inherited = random.Random(1)
draws = {
    "gaussian": lambda: draw_gaussian([0] * 8, 1e6),
    "laplace": lambda: draw_laplace([0] * 8, 1e6),
    "table": lambda: table_sampler.draw(1e6, 8).tolist(),
    "generator in the process": lambda: table_sampler.draw(1e6, 8, inherited.randbytes).tolist(),
}
draw = draws[sys.argv[1]]
draw()
for _ in range(int(sys.argv[2])):
    worker = os.fork()
    if worker == 0:
        os.write(1, (str(draw()) + chr(10)).encode())
        os._exit(0)
    os.waitpid(worker, 0)
os.write(1, (str(draw()) + chr(10)).encode())
"""


def drawn(mechanism: str) -> list[str]:
    """What each forked worker drew, and then the one that forked them."""
    command = [sys.executable, "-c", PROGRAM, mechanism, str(WORKERS)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    return told.splitlines()


@pytest.mark.parametrize("mechanism", ["gaussian", "laplace", "table"])
def test_forked_workers_never_share_noise(mechanism: str) -> None:
    noise = drawn(mechanism)

    assert len(noise) == WORKERS + 1
    assert len(set(noise)) == len(noise)


def test_a_generator_that_lives_in_the_process_would_be_noticed() -> None:
    assert len(set(drawn("generator in the process"))) == 1
