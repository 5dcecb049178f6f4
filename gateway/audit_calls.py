"""The gateway's log as anybody reads it over HTTP: its checkpoint, tile by tile, to be checked or to be taken away."""

from collections.abc import Callable

from contracts.checkpoints import cosigned, log_keys, verify_checkpoint
from contracts.log_audit import walk
from contracts.tiles import CHECKPOINT_PATH, Tile
from contracts.transparency import Checkpoint
from gateway.client import Gateway
from gateway.log_folder import LogFolder


def audit_verify(gateway: Gateway) -> int:
    """Walk through the gateway's whole log against the pinned keys; see ``contracts.log_audit.walk``.

    Returns:
        The number of entries.

    Raises:
        IntegrityError: ``log-entry-changed``, naming the entry, or ``log-checkpoint-wrong``.
    """
    checkpoint = verify_checkpoint(log_checkpoint(gateway), log_keys(gateway.federation, gateway.now()))
    return sum(1 for _ in walk(lambda tile: log_tile(gateway, tile), checkpoint))


def audit_export(gateway: Gateway, folder: LogFolder) -> Checkpoint:
    """Take the whole log away; what lies in the folder from before is not fetched again.

    Raises:
        IntegrityError: ``log-checkpoint-wrong``.
    """
    keys = log_keys(gateway.federation, gateway.now())
    return folder.take(log_checkpoint(gateway), lambda tile: log_tile(gateway, tile), keys, gateway.federation)


def log_checkpoint(gateway: Gateway) -> str:
    """The checkpoint on show, nothing verified."""
    return gateway.public(f"/{CHECKPOINT_PATH}").decode(errors="replace")


def awaited_checkpoint(gateway: Gateway, quorum: int, seconds: float, sleep: Callable[[float], None]) -> str:
    """The checkpoint on show as soon as so many agencies stand by it; the one that is on show at last, if they do not.

    Args:
        gateway: The line.
        quorum: How many agencies.
        seconds: How long to wait: witnesses look every few seconds.
        sleep: Waits for one.
    """
    keys, document = log_keys(gateway.federation), log_checkpoint(gateway)
    for _ in range(int(seconds)):
        if len(cosigned(document, keys)) >= quorum:
            break
        sleep(1)
        document = log_checkpoint(gateway)
    return document


def log_tile(gateway: Gateway, tile: Tile) -> bytes:
    """A tile of the gateway's log, or a bundle of its entries."""
    return gateway.public(f"/{tile.path}")
