"""Does a connector's part fit the task that it answers? What does not is refused before it is kept."""

from pydantic import ValidationError

from contracts.canonical import canonical_bytes
from contracts.dataset import DatasetContract, ProtectAt
from contracts.errors import IntegrityError, InvalidInput
from contracts.grid import Grid, grid_of
from contracts.query import Query
from contracts.request import Request
from contracts.task import Forwarded, Part, PartMeasure
from gateway.question import digest_of_request, read_request
from gateway.store.relay import HeldTask
from privacy.layout import layout_of, vector_size
from privacy.plan import PlannedVector, plan

SIGMA_SLACK = 1e-9
"""Scales are computed in floating point on both sides; a part in a thousand million is the same noise."""


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
    if part.refusal is None and not _answers(part, read_request(task.request), contract):
        raise IntegrityError("part-invalid", agency=task.agency)


def _answers(part: Part, request: Request, contract: DatasetContract) -> bool:
    query, grid = request.query, grid_of(request.query, contract)
    if contract.privacy.protect_at is ProtectAt.GATEWAY:
        return _is_exact(part, query, contract, grid)
    vectors = {(each.measure, each.by): each for each in plan(query, [contract], request.nano_rho).vectors}
    posted = [(each.measure, query.dimensions if each.by is None else each.by) for each in part.measures]
    if sorted(posted) != sorted(vectors) or any((each.by is None) == bool(query.family) for each in part.measures):
        return False
    return all(
        len(each.cells) == _size(each, query, contract, grid) and _is_protected(each, vectors[name])
        for name, each in zip(posted, part.measures, strict=True)
    )


def _is_exact(part: Part, query: Query, contract: DatasetContract, grid: Grid) -> bool:
    """Whether it has each base measure once, over the question's own cells, without noise: the gateway is to add it."""
    complete = sorted(each.measure for each in part.measures) == sorted(query.base_measures)
    return complete and all(
        each.sigma is None
        and each.by is None
        and not each.sigmas
        and len(each.cells) == vector_size(grid, contract, each.measure)
        for each in part.measures
    )


def _size(measure: PartMeasure, query: Query, contract: DatasetContract, grid: Grid) -> int:
    table = grid if measure.by is None else layout_of(query, contract, grid, measure.by).grid
    return vector_size(table, contract, measure.measure)


def _is_protected(measure: PartMeasure, planned: PlannedVector) -> bool:
    """Whether it says that it carries the noise that is planned, in every cell.

    Less would break the promise; more would make the errors that the release states, those of the plan, untrue.
    """
    said, meant = measure.sigmas, planned.sigmas
    if measure.sigma is None or said.keys() != meant.keys():
        return False
    return _is_same(measure.sigma, planned.sigma) and all(_is_same(said[code], meant[code]) for code in meant)


def _is_same(said: float, meant: float) -> bool:
    return abs(said - meant) <= SIGMA_SLACK * meant
