"""Does a connector's part fit the task that it answers? What does not is refused before it is kept."""

from pydantic import ValidationError

from contracts.canonical import canonical_bytes
from contracts.dataset import DatasetContract, ProtectAt
from contracts.errors import IntegrityError, InvalidInput
from contracts.grid import grid_of
from contracts.query import Query
from contracts.request import Request
from contracts.task import Forwarded, Part, PartMeasure
from gateway.question import digest_of_request
from gateway.store.relay import HeldTask
from privacy.plan import plan

SIGMA_SLACK = 1 - 1e-9
"""Scales are computed in floating point on both sides; a part in a thousand million is not less noise."""


def read_part(forwarded: Forwarded) -> Part:
    """The part in a signed message.

    Raises:
        InvalidInput: ``malformed-body``, also when the body is not the canonical form of what it says: what cannot be
            written canonically could be kept, but never released.
    """
    try:
        part = Part.model_validate_json(forwarded.body)
    except ValidationError as error:
        where = ".".join(str(place) for place in error.errors()[0]["loc"])
        raise InvalidInput("malformed-body", where=where or "part") from error
    if canonical_bytes(part) != forwarded.body.encode():
        raise InvalidInput("malformed-body", where="part")
    return part


def check_part(part: Part, held: HeldTask, contract: DatasetContract) -> None:
    """Check that a part answers exactly this task.

    Raises:
        IntegrityError: ``part-invalid``.
    """
    task = held.task
    said = (part.task, part.task_digest, part.agency, part.contract, part.request_digest)
    meant = (task.id, held.digest, task.agency, task.contract, digest_of_request(task.request))
    if said != meant:
        raise IntegrityError("part-invalid", agency=task.agency)
    if part.refusal is None and not _answers(part, Request.model_validate_json(task.request.body), contract):
        raise IntegrityError("part-invalid", agency=task.agency)


def _answers(part: Part, request: Request, contract: DatasetContract) -> bool:
    size = grid_of(request.query, contract).size
    noise = _least_noise(request.query, contract, request.nano_rho)
    complete = sorted(each.measure for each in part.measures) == sorted(request.query.base_measures)
    return complete and all(len(each.cells) == size and _is_protected(each, noise) for each in part.measures)


def _least_noise(query: Query, contract: DatasetContract, nano_rho: int) -> dict[str, float] | None:
    """The noise that each measure must carry already; none when the gateway is to add it."""
    if contract.privacy.protect_at is ProtectAt.GATEWAY:
        return None
    return {each.measure: each.sigma for each in plan(query, [contract], nano_rho).measures}


def _is_protected(measure: PartMeasure, noise: dict[str, float] | None) -> bool:
    if noise is None or measure.sigma is None:
        return noise is None and measure.sigma is None
    return measure.sigma >= noise[measure.measure] * SIGMA_SLACK
