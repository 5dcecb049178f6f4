"""What other people's programs are installed from: locked by hash, and no package host is named."""

import json
from pathlib import Path

import pytest

from tests.interop.__main__ import main, names

pytestmark = pytest.mark.unit

HERE = Path(__file__).parents[2] / "interop"
PYTHON_LOCKS = sorted(HERE.glob("*.lock"))
NODE_LOCKS = sorted(HERE.glob("*/package-lock.json"))


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=lambda path: path.stem)
def test_every_python_package_is_locked_by_hash_and_no_host_is_named(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    requirements = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert requirements
    assert all("==" in line and line.endswith("\\") for line in requirements)
    assert text.count("--hash=sha256:") >= len(requirements)
    assert "://" not in text


@pytest.mark.parametrize("lock", NODE_LOCKS, ids=lambda path: path.parent.name)
def test_every_node_package_is_locked_by_hash_and_no_host_is_named(lock: Path) -> None:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    installed = {name: each for name, each in packages.items() if name}
    assert installed
    for name, each in installed.items():
        assert each["integrity"].startswith("sha512-"), name
        assert "resolved" not in each, name


def test_every_node_environment_is_locked() -> None:
    assert [path.parent for path in sorted(HERE.glob("*/package.json"))] == [path.parent for path in NODE_LOCKS]


def test_a_check_that_does_not_exist_fails() -> None:
    assert main(["no-such-check"]) == 2


def test_the_validators_of_contracts_and_catalogue_are_among_the_checks() -> None:
    assert {"datacontract", "dataspace", "shacl"} <= set(names())
