"""DCAT-AP's own SHACL shapes judge the catalogue."""

import tempfile
from pathlib import Path

from gateway.catalogue.dcat import turtle
from tests.interop.environments import FOLDER, HERE, missing, python_environment, run
from tests.interop.sample import catalogue


def check() -> int:
    """0 if the catalogue conforms."""
    shapes = [FOLDER / "dcat-ap" / name for name in ("shapes.ttl", "range.ttl")]
    if not all(path.is_file() for path in shapes):
        return missing("DCAT-AP 3.0.1 shapes", FOLDER / "dcat-ap")
    python = python_environment("shacl") / "python"
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "catalogue.ttl")
        data.write_text(turtle(catalogue()), encoding="utf-8")
        return run([str(python), str(HERE / "dcat_shapes.py"), str(data), *map(str, shapes)])
