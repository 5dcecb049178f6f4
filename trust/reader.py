"""Reading the trust registry as a client: the pinned root is all that is believed, python-tuf verifies the rest.

The gateway reads its own registry so; connectors, the centre and the command line read it over HTTP. A home that pins
``root.json`` keeps what was verified in ``registry/``: it is what makes a rollback seen.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from pydantic import TypeAdapter, ValidationError
from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    RepositoryError,
)
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig  # type: ignore[attr-defined]  # re-exported
from typing_extensions import override

from contracts.errors import IntegrityError, InvalidInput, Unavailable
from contracts.federation import Member, PublicKey
from contracts.registry import CHARTER_PATH, Registry, member_path, read_charter
from contracts.registry_documents import read_root, read_snapshot, read_targets, read_timestamp
from contracts.signature_base import Message
from transport.line import Line, TooLong
from transport.reading import MOST_BODY_BYTES
from trust.reading import NOT_FOUND, AgencyPart, Verified, error_of, registry_of
from trust.roles import officers_of, registrars_of

REGISTRY_PATH: Final = "/v1/registry/"
LONGEST_SECONDS: Final = 60.0
LIMITS: Final = UpdaterConfig(
    root_max_length=200_000, timestamp_max_length=16_384, snapshot_max_length=500_000, targets_max_length=500_000
)
Get = Callable[[str, int], Iterator[bytes]]
"""Gives what lies under ``metadata/...`` or ``targets/...``, in chunks; raises python-tuf's download errors.

It is told how many bytes the reader takes at most, so that it need not fetch more; the reader counts them itself.
"""

_members: TypeAdapter[dict[str, Member]] = TypeAdapter(dict[str, Member])


@dataclass(frozen=True, slots=True)
class TrustFolder:
    """A home's pinned root and what was verified from it."""

    home: Path

    @property
    def root(self) -> Path:
        """The trust anchor, put there by a person."""
        return self.home / "root.json"

    @property
    def metadata(self) -> Path:
        """The newest verified documents."""
        return self.home / "registry" / "metadata"

    @property
    def targets(self) -> Path:
        """The verified targets."""
        return self.home / "registry" / "targets"

    @property
    def members(self) -> Path:
        """Every member as it was last read."""
        return self.home / "registry" / "members.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One reader at a time, for python-tuf's folders are not shared."""
        for folder in (self.metadata, self.targets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.home / "registry" / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def known_members(self) -> dict[str, Member]:
        """Every member as it was last read; nobody at first.

        Raises:
            InvalidInput: ``setting-invalid``, when the file is damaged: what was revoked must not be forgotten.
        """
        if not self.members.exists():
            return {}
        try:
            return _members.validate_json(self.members.read_bytes())
        except (OSError, ValidationError) as error:
            why = "registry/members.json cannot be read"
            raise InvalidInput("setting-invalid", setting="registry", why=why) from error

    def remember(self, members: dict[str, Member]) -> None:
        """Keep every member as it is now."""
        part = self.members.with_suffix(".part")
        part.write_bytes(_members.dump_json(members))
        part.chmod(0o600)
        part.replace(self.members)


class _Fetcher(FetcherInterface):
    """Lets python-tuf fetch through ``Get``, which it tells how much is wanted: python-tuf counts what has come."""

    def __init__(self, get: Get) -> None:
        self._get = get
        self._most = 0

    @override
    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        self._most = max_length
        with super().download_file(url, max_length) as file:
            yield file

    @override
    def _fetch(self, url: str) -> Iterator[bytes]:
        return self._get(url, self._most)


def missing() -> DownloadHTTPError:
    """What ``Get`` raises for what is not there."""
    return DownloadHTTPError("not in the registry", NOT_FOUND)


def over_http(line: Line, longest: float = LONGEST_SECONDS) -> Get:
    """What the gateway serves to everybody; who sends it in drips for longer than ``longest`` seconds is cut off.

    So is who sends more than the reader takes, before it has come; a signed length is no reason to take more than a
    line ever does.
    """

    def get(path: str, most: int) -> Iterator[bytes]:
        asked = Message("GET", f"{REGISTRY_PATH}{path}", {}, b"")
        try:
            answer = line.send(asked, longest, min(most, MOST_BODY_BYTES))
        except TooLong as error:
            raise DownloadLengthMismatchError("too long") from error
        except Unavailable as error:
            raise DownloadError("unreachable") from error
        if answer.status != HTTPStatus.OK:
            raise DownloadHTTPError("refused", answer.status or 0)
        yield answer.body

    return get


def from_copy(folder: Path) -> Get:
    """A copy of the registry that somebody took along, laid out as it is served: ``metadata/`` and ``targets/``."""
    return lambda path, _most: _file(folder / path)


def from_known(home: Path) -> Get:
    """What a home has verified before; it keeps the newest of each document under a name without its version."""

    def get(path: str, _most: int) -> Iterator[bytes]:
        version, _, name = Path(path).name.partition(".")
        folder = home / "registry" / "metadata"
        if name == "root.json":
            return _file(folder / "root_history" / f"{version}.root.json")
        return _file(folder / (name if version.isdigit() else Path(path).name))

    return get


def _file(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        raise missing()
    return iter((path.read_bytes(),))


def read(home: Path, get: Get, now: datetime) -> Registry:
    """Bring what a home knows of the registry up to date, and give it.

    Args:
        home: Pins ``root.json``.
        get: Where the registry comes from.
        now: Decides what has expired.

    Raises:
        Unavailable: ``registry-expired``, ``registry-incomplete``, ``gateway-unreachable``.
        IntegrityError: ``registry-forged``, ``registry-rolled-back``, ``registry-content``.
        InvalidInput: ``setting-invalid`` without a root that can be read.
    """
    place = TrustFolder(home)
    with place.locked():
        before = place.known_members()
        try:
            verified = _verified(place, get, now)
        except (RepositoryError, DownloadError) as error:
            raise error_of(error) from error
        registry = registry_of(verified, before)
        place.remember(before | {each.agency: each for each in registry.federation.members})
    return registry


def read_known(home: Path, now: datetime) -> Registry:
    """The registry as this home last saw it, verified again and not expired, without asking anybody.

    Raises:
        As ``read``.
    """
    return read(home, from_known(home), now)


def read_last(home: Path, now: datetime) -> Registry:
    """The registry as this home last saw it, verified again at the last instant at which it held, without asking.

    It is for what was signed before that instant: who goes by it must not take it for what stands today.

    Raises:
        As ``read``, but for ``registry-expired``.
    """
    place = TrustFolder(home)
    readers = {"root": read_root, "timestamp": read_timestamp, "snapshot": read_snapshot, "targets": read_targets}
    try:
        ends = [reader((place.metadata / f"{name}.json").read_bytes()).expires for name, reader in readers.items()]
    except OSError as error:
        raise Unavailable("registry-incomplete", what="copy in this home") from error
    # What is read here without a check decides the instant alone; every check is made at that instant.
    return read_known(home, min(now, min(ends) - timedelta(seconds=1)))


def role_keys(home: Path, now: datetime) -> tuple[PublicKey, ...]:
    """The keys that sign the registry itself: officers' and the gateway's in the root, registrars' in the charter.

    They are as this home last saw them, verified again, without asking anybody. The gateway's
    are in the root's order.

    Raises:
        As ``read``.
    """
    read_known(home, now)
    # What was verified is all that lies there, and only what was verified follows it.
    metadata = TrustFolder(home).metadata
    officers = officers_of((metadata / "root.json").read_bytes())
    return (*officers.keys, *officers.registry, *registrars_of((metadata / "targets.json").read_bytes()))


def read_copy(folder: Path, root: bytes, now: datetime) -> Registry:
    """The registry in a copy, verified from a root that the reader brings along; nobody is asked.

    Args:
        folder: Laid out as the registry is served.
        root: The trust anchor.
        now: The instant for which it is read: a copy of before holds for an instant of before.

    Raises:
        As ``read``.
    """
    with TemporaryDirectory() as home:
        (Path(home) / "root.json").write_bytes(root)
        return read(Path(home), from_copy(folder), now)


def _verified(place: TrustFolder, get: Get, now: datetime) -> Verified:
    try:
        pinned = place.root.read_bytes()
    except OSError as error:
        raise InvalidInput("setting-invalid", setting="root.json", why="it cannot be read") from error
    updater = Updater(
        str(place.metadata), "metadata/", str(place.targets), "targets/", _Fetcher(get), LIMITS, bootstrap=pinned
    )
    # The library has no argument for it and reads the machine's clock.
    updater._trusted_set.reference_time = now  # noqa: SLF001  # as said above
    updater.refresh()
    targets = (place.metadata / "targets.json").read_bytes()
    # First: from here on, a member's keys can come from its own role alone.
    read_targets(targets)
    snapshot = (place.metadata / "snapshot.json").read_bytes()
    charter = _target(updater, CHARTER_PATH)
    known = read_snapshot(snapshot).meta
    agencies = {}
    for agency in read_charter(charter).agencies:
        if f"{agency}.json" not in known:
            continue  # admitted by the officers, and has published nothing yet
        try:
            member = _target(updater, member_path(agency))
        except ExpiredMetadataError:
            continue  # this agency's keys are believed no longer; the others' are
        agencies[agency] = AgencyPart((place.metadata / f"{agency}.json").read_bytes(), member)
    return Verified(
        roots=_roots(place, pinned),
        timestamp=(place.metadata / "timestamp.json").read_bytes(),
        snapshot=snapshot,
        targets=targets,
        charter=charter,
        agencies=agencies,
    )


def _roots(place: TrustFolder, pinned: bytes) -> tuple[bytes, ...]:
    """The pinned root and those that followed it, up to the one that is trusted now."""
    newest = (place.metadata / "root.json").read_bytes()
    return (pinned,) if newest == pinned else (pinned, newest)


def _target(updater: Updater, path: str) -> bytes:
    found = updater.get_targetinfo(path)
    if found is None:
        raise IntegrityError("registry-content", rule="own-keys-listed", where=path)
    place = updater.find_cached_target(found) or updater.download_target(found)
    return Path(place).read_bytes()
