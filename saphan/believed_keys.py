"""Whose keys are believed where nobody is asked: what a home knows, however long ago it looked, or a file."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from contracts.errors import InvalidInput, Unavailable
from contracts.federation import Federation
from saphan.client_settings import federation_of
from trust.anchor import last_known, pins_root


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
        InvalidInput: ``setting-invalid``, when it knows no keys, or what it knows cannot be read; ``root-pinned``.
        SaphanError: When the registry that it has seen does not verify.
    """
    if pins_root(home) and (home / "registry").is_dir():
        registry = last_known(home, now)
        return Believed(registry.federation, registry.good_until)
    federation = federation_of(home)
    if federation is None:
        raise InvalidInput("setting-invalid", setting="federation", why="this home knows no keys yet")
    return Believed(federation)


def believed_in(file: Path) -> Believed:
    """The keys in a file that somebody brings along.

    Raises:
        InvalidInput: ``malformed-body``.
    """
    try:
        return Believed(Federation.model_validate_json(file.read_bytes()))
    except (OSError, ValidationError) as error:
        raise InvalidInput("malformed-body", where=file.name) from error
