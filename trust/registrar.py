"""What an agency's registrar signs: the agency's own keys and its contracts, and nothing else."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from contracts.canonical import canonical_bytes
from contracts.errors import Problem, Refused, Unavailable, from_problem
from contracts.federation import Member
from contracts.keys import SigningKey
from contracts.registry import (
    AGENCY_LIFE,
    RegistryBatch,
    RegistryUpdate,
    check_successor,
    member_path,
    statement_of,
)
from contracts.signature_base import Message
from transport.line import Line
from trust.reader import TrustFolder, over_http, read
from trust.roles import Seal, listed_in, make_agency, sign, target, version_of

UPDATES_PATH: Final = "/v1/registry/updates"
SEND_SECONDS: Final = 30.0
SUCCESS: Final = range(200, 300)


def merged(registered: Member | None, stated: Member, now: datetime) -> Member:
    """A member with what one of its homes states: that home's keys as they are now, the others as they are registered.

    Raises:
        IntegrityError: ``registry-content``, when a key would change, or come back after it was revoked or had ended.
    """
    mine = statement_of(stated)
    if registered is None:
        return mine
    new = {key.kid: key for key in mine.keys}
    kept = tuple(new.pop(key.kid, key) for key in registered.keys)
    member = mine.model_copy(update={"keys": (*kept, *new.values())})
    check_successor(registered, member, now)
    return member


def agency_update(
    member: Member, contracts: Mapping[str, str], before: bytes | None, key: SigningKey, now: datetime
) -> RegistryUpdate:
    """The next version of an agency's role, signed.

    Args:
        member: All that the agency registers.
        contracts: Signed contracts to register, by path; those that are registered already stay.
        before: The document as it is now; none for the first.
        key: The registrar's.
        now: Since when it holds; a year.
    """
    path = member_path(member.agency)
    new = {path: canonical_bytes(member).decode(), **contracts}
    listed = listed_in(before) if before else {}
    listed |= {name: target(name, body.encode()) for name, body in new.items()}
    seal = Seal(version_of(before) + 1 if before else 1, now + AGENCY_LIFE)
    document = sign(make_agency(listed, seal), key)
    return RegistryUpdate(role=member.agency, metadata=document.decode(), targets=new)


def send(line: Line, batch: RegistryBatch) -> None:
    """Bring the gateway new signed metadata.

    Raises:
        SaphanError: What the gateway says against it; ``gateway-unreachable``, ``unknown-answer``.
    """
    headers = {"content-type": "application/json"}
    answered = line.send(Message("POST", UPDATES_PATH, headers, canonical_bytes(batch)), SEND_SECONDS)
    if answered.status in SUCCESS:
        return
    try:
        problem = Problem.model_validate_json(answered.body)
    except ValidationError as error:
        raise Unavailable("unknown-answer") from error
    raise from_problem(problem)


def publish(
    home: Path, line: Line, stated: Member, key: SigningKey, now: datetime, contracts: Mapping[str, str]
) -> Member:
    """Register what a home of an agency states, and contracts, in one new version of its role.

    Args:
        home: Pins ``root.json``.
        line: The line to the gateway.
        stated: The keys of this home, as they are now.
        key: The registrar's.
        now: The present.
        contracts: Signed contracts by path.

    Returns:
        The agency as it is registered then; the home knows it already.

    Raises:
        SaphanError: As ``read`` and ``send``.
    """
    registered = read(home, over_http(line), now).federation.member(stated.agency)
    member = merged(registered, stated, now)
    document = TrustFolder(home).metadata / f"{stated.agency}.json"
    before = document.read_bytes() if document.is_file() else None
    # A contract never changes under its digest; only its signatures would be others.
    listed = listed_in(before) if before else {}
    contracts = {path: body for path, body in contracts.items() if path not in listed}
    if member == registered and not contracts:
        return member
    send(line, RegistryBatch(updates=(agency_update(member, contracts, before, key, now),)))
    found = read(home, over_http(line), now).federation.member(stated.agency)
    if found != member:
        raise Refused("registry-update-refused", role=stated.agency, why="the gateway shows something else")
    return member
