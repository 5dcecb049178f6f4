"""A log that was taken away: a folder of tiles, bundles, checkpoint and public keys, as the web would serve it.

The paths are those of C2SP tlog-tiles, so other programs read the folder as they would read the gateway. Whoever
verifies it uses keys that he has pinned himself; those in the folder are for whom it is handed to, to be compared.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from contracts.checkpoints import (
    Cosigned,
    LogKeys,
    cosigned,
    log_keys,
    log_verifier_keys,
    verify_checkpoint,
    witness_verifier_keys,
)
from contracts.errors import IntegrityError, InvalidInput
from contracts.federation import Federation
from contracts.log_audit import check_growth
from contracts.tiles import CHECKPOINT_PATH, Fetch, Tile, tiles_of
from contracts.transparency import Checkpoint

FEDERATION: Final = "federation.json"
LOG_KEYS: Final = "log.vkeys"
WITNESS_KEYS: Final = "witnesses.vkeys"


@dataclass(frozen=True, slots=True)
class LogFolder:
    """The folder and what lies in it."""

    path: Path

    def fetch(self, tile: Tile) -> bytes:
        """A tile or bundle.

        Raises:
            LookupError: When it is not there.
        """
        try:
            return (self.path / tile.path).read_bytes()
        except OSError as error:
            raise LookupError(tile.path) from error

    def checkpoint(self) -> str:
        """The checkpoint, as it was signed.

        Raises:
            InvalidInput: ``file-unreadable``, when the folder is no exported log; ``malformed-body``.
        """
        return read_document(self.path / CHECKPOINT_PATH)

    def take(self, document: str, fetch: Fetch, keys: LogKeys, federation: Federation) -> Checkpoint:
        """Write a log here; of what is here already from before, full tiles are not fetched again.

        The checkpoint is written last: a folder that has it is whole.
        """
        checkpoint = verify_checkpoint(document, keys)
        for tile in tiles_of(checkpoint.size):
            place = self.path / tile.path
            if not place.is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                part = place.with_name(f"{place.name}.new")
                part.write_bytes(fetch(tile))
                part.replace(place)
        for name, text in (
            (FEDERATION, federation.model_dump_json(indent=2)),
            (LOG_KEYS, "".join(f"{key}\n" for key in log_verifier_keys(keys))),
            (WITNESS_KEYS, "".join(f"{key}\n" for key in witness_verifier_keys(keys))),
            (CHECKPOINT_PATH, document),
        ):
            (self.path / name).write_text(text, encoding="utf-8")
        return checkpoint


@dataclass(frozen=True, slots=True)
class CheckedHead:
    """A checkpoint that the log's key signed, and the agencies that stand by it."""

    checkpoint: Checkpoint
    witnesses: tuple[Cosigned, ...]


def check_head(document: str, federation: Federation, quorum: int) -> CheckedHead:
    """Check whose checkpoint it is and that enough agencies stand by it.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``; ``log-quorum-missing``, when fewer than ``quorum`` cosigned it.
    """
    keys = log_keys(federation)
    checkpoint = verify_checkpoint(document, keys)
    witnesses = cosigned(document, keys)
    if len(witnesses) < quorum:
        raise IntegrityError("log-quorum-missing", quorum=quorum, witnesses=len(witnesses))
    return CheckedHead(checkpoint, witnesses)


def majority(federation: Federation, now: datetime) -> int:
    """More than half of the agencies that have a witness's key which may sign now; 0 where none has one."""
    agencies = {key.kid.partition("#")[0] for key in log_keys(federation).witnesses if key.is_valid(now)}
    return len(agencies) // 2 + 1 if agencies else 0


def check_since(since: Path, fetch: Fetch, federation: Federation, now: Checkpoint) -> Checkpoint:
    """Check that a log only grew since an earlier checkpoint that was kept: a file, or another exported folder.

    Raises:
        InvalidInput: As ``read_document``.
        IntegrityError: ``log-checkpoint-wrong``.
    """
    file = since / CHECKPOINT_PATH if since.is_dir() else since
    old = verify_checkpoint(read_document(file), log_keys(federation))
    check_growth(fetch, old, now)
    return old


def read_document(file: Path) -> str:
    """A note from a file.

    Raises:
        InvalidInput: ``file-unreadable``; ``malformed-body``.
    """
    try:
        return file.read_bytes().decode()
    except OSError as error:
        raise InvalidInput("file-unreadable", file=Path(*file.parts[-2:])) from error
    except UnicodeDecodeError as error:
        raise InvalidInput("malformed-body", where=file.name) from error
