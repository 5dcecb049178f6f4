"""Which modules make decisions, and the loader that puts the switch into them as they are imported."""

import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from typing_extensions import override

from tests.mutation.guards import instrument
from tests.mutation.switch import NAME, SWITCH

ROOT = Path(__file__).parents[2]
PACKAGES = ("contracts", "policies", "connectors", "gateway")
EXCLUDED: Mapping[str, str] = {
    "connectors.compile": "counts what was permitted; compared with plain SQL over the same rows",
    "connectors.intake": "reads an agency's own files, before any question; each rule has its row of bad cells",
    "connectors.snapshot": "counts what was permitted; compared with plain SQL over the same rows",
    "connectors.snapshot_ranking": "as connectors.snapshot",
    "connectors.snapshot_schema": "as connectors.snapshot",
    "connectors.snapshot_shape": "as connectors.snapshot; proved over sequences of refreshes by test_shape_bounding",
    "connectors.sources": "reads the agency's own database",
    "connectors.synthetic": "makes up people and cases for demonstrations",
    "gateway.agreement_calls": "the requester's own side",
    "gateway.asking": "the requester's own side",
    "gateway.centre": "a requester like any other: the gateway checks what it asks",
    "gateway.client": "the requester's own side",
    "gateway.contract_calls": "a member's own side",
    "gateway.home": "setting up",
    "gateway.letters": "prints what was agreed",
    "gateway.main": "setting up",
    "gateway.people_calls": "a member's own side",
    "gateway.privacy_office": "keeps registers of what was decided",
    "gateway.released_table": "the requester's own side",
    "gateway.suspension_calls": "a member's own side",
    "gateway.web": "shows what was decided",
}
"""Modules and packages of these that decide nothing about who may do what, each with the reason."""

IGNORED = (
    "tests/unit/contracts/test_datasets.py",
    "tests/unit/contracts/test_odcs_places.py",
    "tests/unit/gateway/test_web_*",
    "tests/unit/gateway/test_centre_*",
    "tests/integration/connectors/test_compile.py",
    "tests/integration/connectors/test_intake*",
    "tests/integration/connectors/test_snapshot*",
    "tests/integration/connectors/test_sources.py",
    "tests/integration/connectors/test_synthetic_*",
    "tests/integration/gateway/test_privacy_*",
    "tests/integration/gateway/test_retention.py",
    "tests/integration/gateway/test_postgres.py",
)
"""Tests of what is excluded, or that only read the same documents again: slow, and no guard needs them."""


def guarded() -> Iterator[str]:
    """Every module of the packages that is not excluded."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if path.name != "__init__.py" and is_guarded(name):
                yield name


def is_guarded(module: str) -> bool:
    """Whether a module makes decisions."""
    parts = module.split(".")
    here = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
    return parts[0] in PACKAGES and not here & set(EXCLUDED)


def guards_of(module: str) -> tuple[str, ...]:
    """The names of the guards in a module."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    return instrument(module, path.read_text(encoding="utf-8"))[1]


class Loader(SourceFileLoader):
    """Loads a module with the switch in it; its bytecode is never cached."""

    @override
    def get_code(self, fullname: str) -> CodeType:
        """The instrumented code."""
        source = self.get_data(self.path).decode("utf-8")
        return compile(instrument(fullname, source)[0], self.path, "exec", dont_inherit=True)

    @override
    def exec_module(self, module: ModuleType) -> None:
        """Run it with the switch in reach."""
        module.__dict__[NAME] = SWITCH.guards
        super().exec_module(module)


class Finder(MetaPathFinder):
    """Finds the guarded modules before the ordinary finders do."""

    @override
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec for a guarded module; none for all others."""
        if not is_guarded(fullname):
            return None
        found = PathFinder.find_spec(fullname, path)
        if found is None or found.origin is None or found.submodule_search_locations is not None:
            return found
        return importlib.util.spec_from_file_location(fullname, found.origin, loader=Loader(fullname, found.origin))


def switch_on() -> None:
    """From now on guarded modules are imported with the switch; those that came before stay as they are."""
    sys.meta_path.insert(0, Finder())
