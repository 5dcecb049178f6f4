"""The datacontract CLI judges our data contracts, and databases by them."""

import sys

from tests.interop.environments import python_environment, run


def check() -> int:
    """0 if it lints and tests all of them."""
    tool = python_environment("datacontract") / "datacontract"
    return run([sys.executable, "-m", "tests.interop.datacontract", "--tool", str(tool)])
