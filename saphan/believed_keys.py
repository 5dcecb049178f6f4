"""Whose keys are believed where nobody is asked: those of a home, of a copy of the registry, or of a file."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import InvalidInput, Unavailable
from contracts.federation import Federation
from saphan.client_settings import federation_of
from saphan.given_files import given_bytes, given_value
from trust.anchor import last_known, pins_root

RegistryCopyOption = Annotated[
    Path | None,
    typer.Option("--registry", help="A copy of the trust registry (saphan federation export), in place of a home."),
]
RootOption = Annotated[Path | None, typer.Option("--root", help="The root to trust it by; compare its digest first.")]
CopysTime = Annotated[
    datetime | None, typer.Option("--at", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"], help="The copy's time; now.")
]


@dataclass(frozen=True, slots=True)
class Believed:
    """The members' keys, and until when the registry that names them is known to have held.

    Args:
        federation: The keys.
        good_until: What was revoked from then on is not known here; none for a fixed list of keys.
    """

    federation: Federation
    good_until: datetime | None = None

    def at(self, signed: datetime) -> Federation:
        """The keys for what was signed at an instant.

        Raises:
            Unavailable: ``registry-expired``, when the home knows nothing of that instant.
        """
        if self.good_until is not None and signed >= self.good_until:
            raise Unavailable("registry-expired", what=f"{self.good_until:%Y-%m-%d %H:%M}Z")
        return self.federation


def believed_of(home: Path, now: datetime) -> Believed:
    """What a home knows, without asking anybody.

    Raises:
        InvalidInput: ``members-unknown``, when it knows no keys, or what it knows cannot be read; ``root-pinned``.
        SaphanError: When the registry that it has seen does not verify.
    """
    if pins_root(home) and (home / "registry").is_dir():
        registry = last_known(home, now)
        return Believed(registry.federation, registry.good_until)
    federation = federation_of(home)
    if federation is None:
        raise InvalidInput("members-unknown")
    return Believed(federation)


def believed_in(file: Path) -> Believed:
    """The keys in a file that somebody brings along.

    Raises:
        InvalidInput: ``file-unreadable``, ``malformed-body``.
    """
    return Believed(given_value(Federation, file))


def believed_copy(registry: Path | None, root: Path | None, now: datetime) -> Believed | None:
    """The keys in a copy of the registry, which nobody but its officers can have made; none where none is named.

    Args:
        registry: The copy.
        root: The root to trust it by, which the reader has compared.
        now: The instant for which it is read.

    Raises:
        InvalidInput: ``registry-copy-half``, when one is named without the other; ``file-unreadable``.
        SaphanError: When the copy does not verify from the root, or has run out.
    """
    if registry is None and root is None:
        return None
    if registry is None or root is None:
        raise InvalidInput("registry-copy-half")
    from trust.reader import read_copy  # noqa: PLC0415  # tuf takes 0.2 s to import

    read = read_copy(registry, given_bytes(root), now)
    return Believed(read.federation, read.good_until)


def time_of(at: datetime | None, now: datetime) -> datetime:
    """The instant for which a copy is read: the one that was named, in UTC, or now."""
    return now if at is None else at.replace(tzinfo=UTC)
