"""A copy of the registry in a folder, laid out as it is served: ``metadata/<version>.<role>.json`` and ``targets/``.

Officers carry it from machine to machine, auditors verify from it, and a gateway takes it in.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from pydantic import ValidationError

from contracts.errors import InvalidInput
from contracts.federation import Member
from contracts.registry import CHARTER_PATH, Charter, RegistryBatch, RegistryUpdate, member_path
from contracts.registry_documents import Targets, read_agency, read_targets
from trust.roles import HASH, ROOT, SNAPSHOT, TARGETS, TIMESTAMP, served_name, target, version_of

NAME_PARTS: Final = 3
"""Version, role and ``json``."""


@dataclass(frozen=True, slots=True)
class RegistryCopy:
    """The folder; nothing in it is believed until it was verified."""

    path: Path

    def newest(self, role: str) -> bytes | None:
        """The newest document of a role."""
        return self.document(role, max(self.versions(role), default=0))

    def versions(self, role: str) -> list[int]:
        """The numbers of the versions that are here."""
        names = (each.name.split(".") for each in self._metadata.glob(f"*.{role}.json"))
        return [int(parts[0]) for parts in names if len(parts) == NAME_PARTS and parts[0].isdigit()]

    def document(self, role: str, version: int) -> bytes | None:
        """One version of a role's document."""
        place = self._metadata / f"{version}.{role}.json"
        return place.read_bytes() if place.is_file() else None

    def need(self, role: str) -> bytes:
        """The newest document of a role.

        Raises:
            InvalidInput: ``ceremony-file`` without one.
        """
        found = self.newest(role)
        if found is None:
            raise InvalidInput("ceremony-file", file=self.path.name, why=f"it holds no {role}")
        return found

    def roles(self) -> tuple[str, ...]:
        """The roles that officers and registrars sign: root, targets, then agencies by name."""
        names = {each.name.split(".")[1] for each in self._metadata.glob("*.*.json")}
        agencies = sorted(names - {ROOT, TARGETS, SNAPSHOT})
        return (*(each for each in (ROOT, TARGETS) if each in names), *agencies)

    def write(self, role: str, data: bytes) -> None:
        """Keep a document under its version."""
        self._metadata.mkdir(parents=True, exist_ok=True)
        (self._metadata / f"{version_of(data)}.{role}.json").write_bytes(data)

    def keep(self, role: str, data: bytes) -> None:
        """Keep a document under the name by which it is served; of timestamps there is one."""
        if role == TIMESTAMP:
            self._metadata.mkdir(parents=True, exist_ok=True)
            (self._metadata / f"{role}.json").write_bytes(data)
        else:
            self.write(role, data)

    def write_target(self, path: str, body: bytes) -> None:
        """Keep a target."""
        place = self.path / "targets" / served_name(path, target(path, body).hashes[HASH])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)

    def charter(self) -> Charter:
        """The charter of the newest targets.

        Raises:
            InvalidInput: ``ceremony-file``.
        """
        try:
            return Charter.model_validate_json(self._body(read_targets(self.need(TARGETS)), CHARTER_PATH))
        except ValidationError as error:
            raise InvalidInput("ceremony-file", file=CHARTER_PATH, why="it is no charter") from error

    def member(self, agency: str) -> Member | None:
        """An agency's keys as its registrar signed them last in this folder."""
        document = self.newest(agency)
        if document is None:
            return None
        return Member.model_validate_json(self._body(read_agency(document, agency), member_path(agency)))

    def batch(self) -> RegistryBatch:
        """The newest document of every role with its targets, for the gateway."""
        return RegistryBatch(updates=tuple(self._update(role) for role in self.roles()))

    def _update(self, role: str) -> RegistryUpdate:
        data = self.need(role)
        listed = {} if role == ROOT else (read_targets(data) if role == TARGETS else read_agency(data, role)).targets
        place = {path: self._place(path, entry.hashes[HASH]) for path, entry in listed.items()}
        # A contract that the gateway has already need not lie here.
        bodies = {path: file.read_text(encoding="utf-8") for path, file in place.items() if file.is_file()}
        return RegistryUpdate(role=role, metadata=data.decode(), targets=bodies)

    def _body(self, targets: Targets, path: str) -> bytes:
        try:
            return self._place(path, targets.targets[path].hashes[HASH]).read_bytes()
        except (OSError, KeyError) as error:
            raise InvalidInput("ceremony-file", file=path, why="it is missing") from error

    def _place(self, path: str, digest: str) -> Path:
        return self.path / "targets" / served_name(path, digest)

    @property
    def _metadata(self) -> Path:
        return self.path / "metadata"


def take_along(home: Path, copy: RegistryCopy) -> None:
    """Copy what a home has verified into a folder, laid out as it is served.

    Raises:
        InvalidInput: ``ceremony-file``, when the home has verified nothing yet.
    """
    known = home / "registry"
    if not (known / "metadata" / "timestamp.json").is_file():
        raise InvalidInput("ceremony-file", file="registry", why="this home has read none yet")
    for file in (known / "metadata").glob("*.json"):
        if file.name != "root.json":
            copy.keep(file.stem, file.read_bytes())
    for file in (known / "metadata" / "root_history").glob("*.root.json"):
        copy.keep(ROOT, file.read_bytes())
    for file in (known / "targets").iterdir():
        copy.write_target(unquote(file.name), file.read_bytes())
