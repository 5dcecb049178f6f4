"""Answers of the gateway as values; what this program does not know is said so, and never guessed."""

from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from contracts.errors import Problem, SaphanError, Unavailable, from_problem
from contracts.signature_base import Message

Wire = TypeVar("Wire", bound=BaseModel)
SUCCESS: Final = range(200, 300)
PAGE: Final = 1000
"""Items of a page: the most that the interface gives."""


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


def every_page(
    model: type[Wire], path: str, fetch: Callable[[str], bytes], name: Callable[[Wire], str]
) -> tuple[Wire, ...]:
    """A whole list that comes in pages.

    The ``Link`` header is not believed, for no signature covers it: a full page is followed by another.

    Args:
        model: What the list is of.
        path: Where it is.
        fetch: Gives the checked body of an address.
        name: What the interface calls an item in ``after``.

    Raises:
        Unavailable: ``unknown-answer``, also for a page that gives again what was given before.
    """
    found: list[Wire] = []
    seen: set[str] = set()
    joint = "&" if "?" in path else "?"
    while True:
        after = {"after": name(found[-1])} if found else {}
        page = read_values(model, fetch(f"{path}{joint}{urlencode({'limit': PAGE, **after})}"))
        names = {name(each) for each in page}
        if names & seen:
            raise Unavailable("unknown-answer")
        seen |= names
        found += page
        if len(page) < PAGE:
            return tuple(found)


def is_success(answer: Message) -> bool:
    """Whether the gateway did what it was asked."""
    return answer.status in SUCCESS


def error_in(body: bytes) -> SaphanError:
    """The error that the gateway sent."""
    try:
        return from_problem(Problem.model_validate_json(body))
    except ValidationError:
        return Unavailable("unknown-answer")


def oauth_error(body: bytes) -> str:
    """The code of an OAuth error (RFC 6749, section 5.2); what is none is said to be unknown."""
    try:
        return _OAuthError.model_validate_json(body).error
    except ValidationError:
        return "unknown-answer"


class _OAuthError(BaseModel):
    error: str = Field(pattern=r"^[a-z_]{1,40}$")
