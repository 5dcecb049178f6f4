"""The Dataspace Protocol's own JSON schemas judge catalogue and agreement."""

import sys

from tests.interop.environments import FOLDER, missing, run


def check() -> int:
    """0 if both are valid."""
    schemas = FOLDER / "dsp"
    if not schemas.is_dir():
        return missing("Dataspace Protocol 2025-1 schemas", schemas)
    return run([sys.executable, "-m", "tests.interop.dataspace_schemas", str(schemas)])
