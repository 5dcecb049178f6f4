"""The page about the interface, from its description: ``python -m gateway.api.reference > docs/reference/api.md``."""

import sys
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI

from gateway.api.description import describe
from gateway.api.routes import add_routes

METHODS: Final = ("get", "post")
HEAD: Final = "api_head.md"


def page() -> str:
    """The whole page: how calls are made, then every operation by its tag."""
    app = FastAPI(title="Saphan", openapi_url=None)
    add_routes(app)
    head = files("gateway.api").joinpath(HEAD).read_text(encoding="utf-8")
    return "".join((head, *_sections(describe(app))))


def _sections(description: dict[str, Any]) -> list[str]:
    by_tag: dict[str, list[str]] = {}
    for path, methods in description["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                line = f"| `{method.upper()} {path}` | {_said(operation)} |\n"
                by_tag.setdefault(operation.get("tags", ["other"])[0], []).append(line)
    table = "| call | what it does |\n|---|---|\n"
    return [f"\n### {tag}\n{table}{''.join(lines)}" for tag, lines in sorted(by_tag.items())]


def _said(operation: dict[str, Any]) -> str:
    text = operation.get("description") or operation.get("summary") or ""
    return str(text).partition("\n\n")[0].replace("\n", " ").replace("|", "\\|").replace("``", "`")


if __name__ == "__main__":
    sys.stdout.write(page())
