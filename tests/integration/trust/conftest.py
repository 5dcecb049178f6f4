"""A repository that a test may make lie, and a home that pins its root."""

from pathlib import Path

import pytest

from tests.registry_world import LyingRepository, home_with, in_order
from trust.roles import ROOT


@pytest.fixture
def lying() -> LyingRepository:
    """A repository that is in order so far."""
    return in_order()


@pytest.fixture
def home(tmp_path: Path, lying: LyingRepository) -> Path:
    """A home that pins its root."""
    return home_with(tmp_path / "home", lying.documents[ROOT])
