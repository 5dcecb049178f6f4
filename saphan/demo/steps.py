"""Several ``saphan`` commands in one process, in order: a program takes longer to start than most steps last."""

import sys
from collections.abc import Sequence

from pydantic import TypeAdapter

from saphan.__main__ import command_line

_steps: TypeAdapter[list[list[str]]] = TypeAdapter(list[list[str]])


def encoded(steps: Sequence[Sequence[str]]) -> str:
    """Commands as the one argument of this program."""
    return _steps.dump_json([list(step) for step in steps]).decode()


def run(steps: Sequence[Sequence[str]]) -> int:
    """Run the commands in order and give the exit code of the first that fails, 0 when none does."""
    for step in steps:
        code = command_line(step)(list(step), standalone_mode=False)
        if isinstance(code, int) and code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(run(_steps.validate_json(sys.argv[1])))
