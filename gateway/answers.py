"""Answers of the gateway as values; what this program does not know is said so, and never guessed."""

from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from contracts.errors import Problem, SaphanError, Unavailable, from_problem

Wire = TypeVar("Wire", bound=BaseModel)


def read_value(model: type[Wire], body: bytes) -> Wire:
    """One value.

    Raises:
        Unavailable: ``unknown-answer``.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Unavailable("unknown-answer") from error


def read_values(model: type[Wire], body: bytes) -> tuple[Wire, ...]:
    """A list of values.

    Raises:
        Unavailable: ``unknown-answer``.
    """
    adapter: TypeAdapter[tuple[Wire, ...]] = TypeAdapter(tuple[model, ...])  # type: ignore[valid-type]  # known at run time
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise Unavailable("unknown-answer") from error


def error_in(body: bytes) -> SaphanError:
    """The error that the gateway sent."""
    try:
        return from_problem(Problem.model_validate_json(body))
    except ValidationError:
        return Unavailable("unknown-answer")
