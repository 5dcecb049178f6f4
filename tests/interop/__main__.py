"""``./run interop [NAME ...]``: other people's programs judge what Saphan writes and says.

Each module of ``tests/interop/checks`` is one check: ``def check() -> int`` prints one line for each tool (which,
version, verdict) and returns 0 if all is well. It is found by its file name; without names all of them run. What a
check needs and does not find fails it.
"""

import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

CHECKS = Path(__file__).parent / "checks"


def names() -> tuple[str, ...]:
    """The checks that there are."""
    return tuple(sorted(each.name for each in pkgutil.iter_modules([str(CHECKS)])))


def main(wanted: Sequence[str]) -> int:
    """Run the checks of these names, or all; the worst verdict is the exit code."""
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"no such check: {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)  # noqa: T201  # the report of a program
        return 2
    return max(_verdict(name) for name in wanted or names())


def _verdict(name: str) -> int:
    try:
        return int(import_module(f"tests.interop.checks.{name}").check())
    except Exception as error:  # noqa: BLE001  # one check that breaks must not keep the others from running
        print(f"{name}: broken: {type(error).__name__}: {error}", flush=True)  # noqa: T201  # the report of a program
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
