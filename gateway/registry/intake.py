"""Which new metadata the gateway takes into the registry: signed by whom it must be, following what is there, whole.

Pure. The gateway's own wish counts for nothing here: what it takes, every client checks again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contracts.errors import IntegrityError, Refused
from contracts.federation import Member
from contracts.registry import (
    CHARTER_PATH,
    Charter,
    RegistryBatch,
    RegistryUpdate,
    check_successor,
    fold,
    member_path,
    read_charter,
    read_member,
)
from contracts.registry_documents import Root, Target, Targets, read_agency, read_root, read_targets
from trust.roles import HASH, ROOT, SNAPSHOT, TARGETS, TIMESTAMP, Standing, served_name, standing, standings, target

ORDER: Final = {ROOT: 0, TARGETS: 1}
BY_THE_GATEWAY: Final = frozenset({SNAPSHOT, TIMESTAMP})


@dataclass(slots=True)
class Intake:
    """The registry while a batch is taken in.

    Args:
        documents: The newest document of every role; those that were taken replace them.
        body: Gives a target that is stored, by the name under which it is served.
        pinned: The root that a person pinned at the gateway: an empty registry begins with it and no other.
        now: Decides what has expired.
        taken: The roles that were taken in.
        targets: New targets by the name under which they are served.
    """

    documents: dict[str, bytes]
    body: Callable[[str], bytes | None]
    pinned: bytes
    now: datetime
    taken: list[str] = field(default_factory=list)
    targets: dict[str, str] = field(default_factory=dict)

    def take(self, batch: RegistryBatch) -> None:
        """Take a whole batch.

        Raises:
            Refused: ``registry-update-refused``, naming the role and why.
            IntegrityError: ``registry-content``, naming the rule; ``registry-forged`` for what is no metadata.
        """
        for update in sorted(batch.updates, key=lambda each: ORDER.get(each.role, len(ORDER))):
            if update.metadata.encode() == self.documents.get(update.role):
                continue  # it was taken before
            if update.role in BY_THE_GATEWAY:
                raise _refused(update.role, "this role is the gateway's own")
            if update.role in self.taken:
                raise _refused(update.role, "two versions in one batch")
            take = {ROOT: self._take_root, TARGETS: self._take_charter}.get(update.role, self._take_agency)
            take(update)
            self.documents[update.role] = update.metadata.encode()
            self.taken.append(update.role)
        if self.taken:
            self._check_whole()

    def _take_root(self, update: RegistryUpdate) -> None:
        data, before = update.metadata.encode(), self.documents.get(ROOT)
        root = read_root(data)
        if before is None and data != self.pinned:
            raise _refused(ROOT, "it is not the root that is pinned here")
        if before is not None:
            self._check_follows(ROOT, root, read_root(before).version)
            _check_signed(ROOT, data, before)
        _check_signed(ROOT, data, data)
        self._check_targets(update, {})

    def _take_charter(self, update: RegistryUpdate) -> None:
        data, before = update.metadata.encode(), self.documents.get(TARGETS)
        targets = read_targets(data)
        self._check_follows(TARGETS, targets, read_targets(before).version if before else 0)
        _check_signed(TARGETS, data, self._document(ROOT))
        self._check_targets(update, targets.targets)

    def _take_agency(self, update: RegistryUpdate) -> None:
        agency, data = update.role, update.metadata.encode()
        before = self.documents.get(agency)
        if agency not in self._agencies():
            raise _refused(agency, "the officers have delegated it to nobody")
        targets = read_agency(data, agency)
        self._check_follows(agency, targets, read_agency(before, agency).version if before else 0)
        _check_signed(agency, data, self._document(TARGETS))
        operator = self._charter().operator
        past = self._member(agency, operator) if before else None
        self._check_targets(update, targets.targets)
        new = read_member(self._body(targets, member_path(agency)), agency, operator)
        if past is not None:
            check_successor(past, new, self.now)

    def _check_follows(self, role: str, new: Root | Targets, before: int) -> None:
        if new.version != before + 1:
            raise _refused(role, f"version {before + 1} is next")
        if new.expires <= self.now:
            raise _refused(role, "it has expired")

    def _check_targets(self, update: RegistryUpdate, listed: Mapping[str, Target]) -> None:
        """Check that every target that is listed is here with its hash, and that nothing else came along."""
        if update.targets.keys() - listed.keys():
            raise _refused(update.role, "a target that it does not list")
        for path, entry in listed.items():
            name = served_name(path, entry.hashes[HASH])
            body = update.targets.get(path)
            held = self.body(name) if body is None else body.encode()
            if held is None:
                raise _refused(update.role, f"without the target {path}")
            made = target(path, held)
            if (made.length, made.hashes[HASH]) != (entry.length, entry.hashes[HASH]):
                raise _refused(update.role, f"another target than listed: {path}")
            if body is not None:
                self.targets[name] = body

    def _check_whole(self) -> None:
        """Check that all of it still verifies: a new registrar key comes together with what it signed anew."""
        targets = self._document(TARGETS)
        _check_signed(TARGETS, targets, self._document(ROOT))
        charter = self._charter()
        if self._agencies() != set(charter.agencies):
            raise IntegrityError("registry-content", rule="charter-fits-roles", where=TARGETS)
        present = [agency for agency in charter.agencies if agency in self.documents]
        signed = standings(targets, {agency: self.documents[agency] for agency in present})
        for agency, found in signed.items():
            _check_enough(agency, found)
        fold(charter, {agency: self._member(agency, charter.operator) for agency in present})

    def _member(self, agency: str, operator: str) -> Member:
        listed = read_agency(self._document(agency), agency)
        return read_member(self._body(listed, member_path(agency)), agency, operator)

    def _charter(self) -> Charter:
        return read_charter(self._body(read_targets(self._document(TARGETS)), CHARTER_PATH))

    def _agencies(self) -> set[str]:
        delegations = read_targets(self._document(TARGETS)).delegations
        return {role.name for role in delegations.roles} if delegations else set()

    def _document(self, role: str) -> bytes:
        if role not in self.documents:
            raise _refused(role, f"there is no {role} yet")
        return self.documents[role]

    def _body(self, targets: Targets, path: str) -> bytes:
        name = served_name(path, targets.targets[path].hashes[HASH])
        if name in self.targets:
            return self.targets[name].encode()
        body = self.body(name)
        if body is None:
            raise _refused(path, "the target is missing")
        return body


def _check_signed(role: str, data: bytes, delegator: bytes) -> None:
    _check_enough(role, standing(data, role, delegator))


def _check_enough(role: str, found: Standing) -> None:
    if not found.is_met:
        raise _refused(role, f"{len(found.signed)} of {found.threshold} signatures that count")


def _refused(role: str, why: str) -> Refused:
    return Refused("registry-update-refused", role=role, why=why)
