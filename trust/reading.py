"""What a reader makes of the registry that python-tuf has verified: our own rules, and errors for people.

Both programs read with ``tuf.ngclient``; what happens after it, and what its refusals mean, stands here once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    RepositoryError,
)

from contracts.errors import IntegrityError, SaphanError, Unavailable
from contracts.federation import Member
from contracts.registry import Registry, check_successor, fold, read_charter, read_member
from contracts.registry_documents import (
    CONTRACT,
    Targets,
    owner_of,
    read_agency,
    read_root,
    read_snapshot,
    read_targets,
    read_timestamp,
)

NOT_FOUND: Final = 404
Failure = RepositoryError | DownloadError


@dataclass(frozen=True, slots=True)
class AgencyPart:
    """What an agency's registrar signed, and the keys that it names."""

    document: bytes
    member: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """Documents whose signatures, versions, hashes and expiry python-tuf has verified; roots oldest first."""

    roots: tuple[bytes, ...]
    timestamp: bytes
    snapshot: bytes
    targets: bytes
    charter: bytes
    agencies: Mapping[str, AgencyPart]


def registry_of(verified: Verified, before: Mapping[str, Member]) -> Registry:
    """The registry in verified documents, by the rules that are ours.

    Args:
        verified: The documents.
        before: Each member as it was when it was last read here.

    Raises:
        IntegrityError: ``registry-content``, naming the rule that is broken and where.
    """
    roots = [read_root(each) for each in verified.roots]
    targets = read_targets(verified.targets)
    charter = read_charter(verified.charter)
    named = {role.name for role in targets.delegations.roles} if targets.delegations else set()
    if named != set(charter.agencies):
        raise IntegrityError("registry-content", rule="charter-fits-roles", where="targets")
    if {owner_of(kid) for kid in roots[-1].roles.timestamp.keyids} != {charter.operator}:
        raise IntegrityError("registry-content", rule="operator-signs-freshness", where="root")
    timestamp, snapshot = read_timestamp(verified.timestamp), read_snapshot(verified.snapshot)
    parts = {agency: read_agency(part.document, agency) for agency, part in verified.agencies.items()}
    members = {agency: read_member(part.member, agency, charter.operator) for agency, part in verified.agencies.items()}
    for agency in members.keys() & before.keys():
        check_successor(before[agency], members[agency])
    ends = [each.expires for each in (roots[-1], timestamp, snapshot, targets, *parts.values())]
    contracts = {agency: _contracts(part) for agency, part in parts.items()}
    return Registry(fold(charter, members), min(ends), contracts, timestamp.version)


def _contracts(part: Targets) -> frozenset[str]:
    return frozenset(path.rpartition("/")[2] for path in part.targets if CONTRACT.fullmatch(path))


def error_of(error: Failure) -> SaphanError:
    """What a refusal of python-tuf means to a person. Its texts may quote what was sent, so they are not repeated."""
    match error:
        case ExpiredMetadataError():
            return Unavailable("registry-expired", what=str(error).split(" ", 1)[0][:40])
        case BadVersionNumberError():
            return IntegrityError("registry-rolled-back", why="a version is lower than one that was seen")
        case DownloadLengthMismatchError():
            return IntegrityError("registry-forged", why="longer than signed")
        case DownloadHTTPError(status_code=404):
            return Unavailable("registry-incomplete", what="document that was asked for")
        case DownloadError():
            return Unavailable("gateway-unreachable")
        case _:
            return IntegrityError("registry-forged", why=type(error).__name__)
