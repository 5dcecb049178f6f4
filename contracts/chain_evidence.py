"""What shows an auditor who signed what of one request, and the check of it where no gateway is.

Keys are those that were valid when they signed; a revoked key proves nothing any more, whenever it signed.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, StringConstraints, ValidationError

from contracts.canonical import digest_of, digest_of_bytes
from contracts.chain import answer_digest, check_forward, check_kept_part, message_of
from contracts.errors import IntegrityError, Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.identifiers import AgencyId, Identifier, KeyId
from contracts.message_signatures import Tag, Verified, verify
from contracts.release import Release
from contracts.signing import Resolve
from contracts.task import Forwarded, Part, Task
from contracts.values import Value

ANY_TIME: Final = datetime.min.replace(tzinfo=UTC)
"""Stands where a clock is asked for and none binds: each key is held against the instant at which it signed."""

Salt = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ChainLink(Value):
    """One agency's share of a request: the forwarded task, the answer, and the salt of the commitment to it.

    The body of an answer that was erased is empty; its digest and signatures are there. ``salt`` is none when nothing
    was released.
    """

    task: Task
    part: Forwarded
    salt: Salt | None = None


class ChainEvidence(Value):
    """All that was signed of one request, and its release, if it has one. It holds figures that were never released.

    ``links`` stand in the order of the release's commitments.
    """

    request: Identifier
    links: tuple[ChainLink, ...]
    release: Release | None = None


class CheckedLink(Value):
    """Who signed one link and when; ``figures`` says whether the answer's figures are there, or its digest alone."""

    task: Identifier
    agency: AgencyId
    asked_by: KeyId
    asked: AwareDatetime
    forwarded_by: KeyId
    forwarded: AwareDatetime
    answered_by: KeyId
    answered: AwareDatetime
    figures: bool
    committed: bool


def check_links(evidence: ChainEvidence, federation: Federation) -> tuple[CheckedLink, ...]:
    """Check every signature of a request, and that its release commits to exactly these answers.

    That the release is the gateway's is not looked at here.

    Raises:
        IntegrityError: ``chain-broken``, at the first link that does not hold.
    """
    checked = tuple(_checked(each, federation, committed=evidence.release is not None) for each in evidence.links)
    if len({each.task.request.body for each in evidence.links}) != 1:
        raise _broken("the request", "its tasks do not carry one question")
    if evidence.release is not None:
        _check_commitments(evidence, evidence.release)
    return checked


def _checked(link: ChainLink, federation: Federation, *, committed: bool) -> CheckedLink:
    task, part = link.task, link.part

    def signed(where: str, check: Callable[[Resolve], Verified], purpose: KeyPurpose, owner: str | None) -> Verified:
        keys: list[PublicKey] = []

        def resolve(kid: str) -> PublicKey | None:
            keys.extend(_registered(federation, kid, purpose, owner))
            return keys[0] if keys else None

        try:
            verified = check(resolve)
        except Refused as error:
            raise _broken(where, str(error.details.get("why", error.code))) from error
        if not keys[0].is_valid(verified.created):
            raise _broken(where, f"the key {verified.kid} was not valid then")
        return verified

    message = message_of(task.request)
    asked = signed(
        "the request",
        lambda resolve: verify(message, Tag.REQUEST, resolve, ANY_TIME, at_receipt=False),
        KeyPurpose.CLIENT,
        None,
    )
    sent = signed(
        f"the forward of {task.id}",
        lambda resolve: check_forward(task, resolve, ANY_TIME),
        KeyPurpose.GATEWAY,
        federation.operator,
    )
    gave = signed(
        f"the answer to {task.id}",
        lambda resolve: check_kept_part(task, part, resolve, ANY_TIME),
        KeyPurpose.CONNECTOR,
        task.agency,
    )
    if part.body:
        _check_says(task, part)
    return CheckedLink(
        task=task.id,
        agency=task.agency,
        asked_by=asked.kid,
        asked=asked.created,
        forwarded_by=sent.kid,
        forwarded=sent.created,
        answered_by=gave.kid,
        answered=gave.created,
        figures=bool(part.body),
        committed=committed,
    )


def _registered(federation: Federation, kid: str, purpose: KeyPurpose, owner: str | None) -> tuple[PublicKey, ...]:
    """The key of that name, whenever it was valid, unless it is revoked or another member's than it should be."""
    name = kid.partition("#")[0]
    member = federation.member(name)
    if member is None or owner not in {None, name}:
        return ()
    return tuple(each for each in member.keys if (each.kid, each.purpose, each.revoked) == (kid, purpose, False))


def _check_says(task: Task, posted: Forwarded) -> None:
    """Check that an answer names the task that it answers."""
    where = f"the answer to {task.id}"
    try:
        part = Part.model_validate_json(posted.body)
    except ValidationError as error:
        raise _broken(where, "it is no part") from error
    said = (part.task, part.task_digest, part.agency, part.request_digest)
    if said != (task.id, digest_of(task), task.agency, digest_of_bytes(task.request.body.encode())):
        raise _broken(where, "it names another task")


def _check_commitments(evidence: ChainEvidence, release: Release) -> None:
    asked = digest_of_bytes(evidence.links[0].task.request.body.encode())
    if release.body.request_digest != asked:
        raise _broken("the release", "it answers another request")
    committed = tuple(_commitment(each.salt or "", answer_digest(each.part)) for each in evidence.links)
    if committed != release.body.parts:
        raise _broken("the release", "it commits to other answers")


def _commitment(salt: str, digest: str) -> str:
    return f"sha-256:{hashlib.sha256(bytes.fromhex(salt) + digest.encode()).hexdigest()}"


def _broken(link: str, why: str) -> IntegrityError:
    return IntegrityError("chain-broken", link=link, why=why)
