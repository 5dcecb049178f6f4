"""Whether a home believes the registry or a fixed list of keys. The framework is imported where it is needed alone."""

from datetime import datetime
from pathlib import Path
from typing import Final

from contracts.errors import InvalidInput
from contracts.federation import Federation, PublicKey
from contracts.registry import Registry
from transport.line import Line
from trust.live import LiveRegistry

ROOT_FILE: Final = "root.json"
FIXED_FILE: Final = "federation.json"


def pins_root(home: Path) -> bool:
    """Whether a home's only trust anchor is a root of the registry; a link that leads nowhere is one, too.

    Raises:
        InvalidInput: ``root-pinned``, when a fixed list of keys lies beside it: one of the two would be a lie.
    """
    root = home / ROOT_FILE
    if not (root.exists() or root.is_symlink()):
        return False
    if (home / FIXED_FILE).exists():
        raise InvalidInput("root-pinned", what="federation.json beside it is not read")
    return True


def fetched(home: Path, line: Line, now: datetime) -> Federation:
    """The federation of the registry, brought up to date; what the home knows while the gateway cannot be reached.

    Raises:
        Unavailable: ``registry-expired``, ``registry-incomplete``, ``gateway-unreachable``.
        IntegrityError: ``registry-forged``, ``registry-rolled-back``, ``registry-content``.
    """
    return live_over_http(home, line).refresh(now)


def known(home: Path, now: datetime) -> Federation:
    """The federation of the registry as this home last saw it, verified again, without the gateway.

    Raises:
        SaphanError: As ``fetched``.
    """
    from trust.reader import read_known  # noqa: PLC0415  # tuf takes 0.2 s to import

    return read_known(home, now).federation


def known_roles(home: Path, now: datetime) -> tuple[PublicKey, ...]:
    """The keys that sign the registry itself, as this home last saw it: no member's list has them.

    Raises:
        SaphanError: As ``fetched``.
    """
    from trust.reader import role_keys  # noqa: PLC0415  # tuf takes 0.2 s to import

    return role_keys(home, now)


def last_known(home: Path, now: datetime) -> Registry:
    """The registry as this home last saw it, however long ago: for what was signed while it held.

    Raises:
        SaphanError: As ``fetched``, but for ``registry-expired``.
    """
    from trust.reader import read_last  # noqa: PLC0415  # tuf takes 0.2 s to import

    return read_last(home, now)


def live_over_http(home: Path, line: Line) -> LiveRegistry:
    """The registry for a program that runs for long."""
    from trust.reader import over_http, read, read_known  # noqa: PLC0415  # tuf takes 0.2 s to import

    get = over_http(line)
    return LiveRegistry(lambda now: read(home, get, now), lambda now: read_known(home, now))
