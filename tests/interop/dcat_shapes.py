"""Validate a Turtle file with SHACL shapes; runs in the validator's own environment, which knows nothing of Saphan.

python dcat_shapes.py CATALOGUE.ttl SHAPES.ttl...     exit 1 when a shape is violated
"""

import sys
from importlib.metadata import version

import pyshacl  # type: ignore[import-not-found]  # lives in its own environment
import rdflib

SHACL = rdflib.Namespace("http://www.w3.org/ns/shacl#")


def main(data: str, *shapes: str) -> int:
    """Print one line for each violation and each file of shapes; 0 when there is no violation."""
    graph, worst = rdflib.Graph().parse(data), 0
    for path in shapes:
        wanted = rdflib.Graph().parse(path)
        _, report, _ = pyshacl.validate(graph, shacl_graph=wanted, inference="none", do_owl_imports=False)
        violations = [
            result
            for result in report.subjects(SHACL.resultSeverity, SHACL.Violation)
            if (result, None, None) in report
        ]
        for result in violations:
            print(f"  {report.value(result, SHACL.focusNode)}: {report.value(result, SHACL.resultMessage)}")  # noqa: T201  # the report of a program
        verdict = "conforms" if not violations else f"{len(violations)} violations"
        print(f"pyshacl {version('pyshacl')}: {path.rpartition('/')[2]}: {verdict}")  # noqa: T201  # the report of a program
        worst |= bool(violations)
    return worst


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
