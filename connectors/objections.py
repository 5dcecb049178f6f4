"""People who are left out of every answer: they objected (PDPA s. 32), or their data is on hold (s. 34).

The list lies beside the snapshot and holds no identity: only the keyed hash that the snapshot knows a person by. Every
refresh reads it, whoever calls it, and leaves the rows of these people out of the answer table. Their ranks are kept,
so that nothing resets when a hold is lifted. Whether somebody is in the data at all is never said.
"""

import fcntl
import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from pydantic import AwareDatetime, Field, ValidationError

from connectors.home import Home
from connectors.snapshot_schema import key_of
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput
from contracts.identifiers import DatasetId
from contracts.personal_data import SubjectReference
from contracts.values import Value

FILE: Final = "objections.json"
HASH_LETTERS: Final = 32
Section = Literal["32", "34"]


class Objection(Value):
    """One person of one dataset, by keyed hash; ``reference`` is the request in the register, if there is one."""

    dataset: DatasetId
    person: str = Field(pattern=r"^[0-9a-f]{32}$")
    section: Section
    since: AwareDatetime
    reference: SubjectReference | None = None


class Objections(Value):
    """The list."""

    objections: tuple[Objection, ...] = ()


def file_beside(snapshot: Path) -> Path:
    """Where the list of a snapshot's home lies."""
    return snapshot.with_name(FILE)


def read(path: Path) -> Objections:
    """The list; empty when there is no file.

    Raises:
        InvalidInput: ``setting-invalid``, for a file that is no list: then nothing may be answered as if it were empty.
    """
    try:
        return Objections.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Objections()
    except (OSError, ValidationError) as error:
        raise InvalidInput("setting-invalid", setting=FILE, why="it cannot be read") from error


def hashes(snapshot: Path, dataset: str) -> tuple[str, ...]:
    """The people who are left out of a dataset, as the snapshot's table of people knows them."""
    held = read(file_beside(snapshot)).objections
    return tuple(str(uuid.UUID(hex=each.person)) for each in held if each.dataset == dataset)


def person_hash(secret: bytes, contract: DatasetContract, person_key: str) -> str:
    """The keyed hash of a person's key, the same that the snapshot computes (``snapshot_schema.keyed``).

    Raises:
        InvalidInput: ``no-person-key``, for a dataset whose rows name nobody.
    """
    if contract.unit.column is None:
        raise InvalidInput("no-person-key", contract=contract.id)
    key = key_of(secret, f"person {contract.id}")
    inner = hashlib.sha256(f"{key}{person_key}".encode()).hexdigest()
    return hashlib.sha256(f"{key}{inner}".encode()).hexdigest()[:HASH_LETTERS]


def add(home: Home, objection: Objection) -> None:
    """Leave a person out from the next refresh on; the same person under the same section stands there once."""
    with _only_one(home):
        held = read(home.path / FILE).objections
        kept = tuple(each for each in held if not _is_same(each, objection))
        _write(home, Objections(objections=(*kept, objection)))


def lift(home: Home, objection: Objection) -> bool:
    """Take a person off the list again; whether they stood there."""
    with _only_one(home):
        held = read(home.path / FILE).objections
        kept = tuple(each for each in held if not _is_same(each, objection))
        _write(home, Objections(objections=kept))
    return len(kept) < len(held)


def _is_same(one: Objection, other: Objection) -> bool:
    return (one.dataset, one.person, one.section) == (other.dataset, other.person, other.section)


def _write(home: Home, objections: Objections) -> None:
    home.write(home.path / FILE, objections.model_dump_json(indent=2).encode())


@contextmanager
def _only_one(home: Home) -> Iterator[None]:
    """One change at a time, across processes."""
    with (home.path / f"{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
