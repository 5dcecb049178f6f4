"""Names as people give them, before they become a part of an address."""

from typing import Final

from pydantic import TypeAdapter, ValidationError

from contracts.errors import InvalidInput
from contracts.identifiers import Identifier

_identifier: Final[TypeAdapter[str]] = TypeAdapter(Identifier)


def agreement_name(name: str) -> str:
    """The name, if an agreement can have it.

    Raises:
        InvalidInput: ``unknown-agreement``.
    """
    if not _is_identifier(name):
        raise InvalidInput("unknown-agreement", agreement=name)
    return name


def release_name(name: str) -> str:
    """The name, if a release can have it.

    Raises:
        InvalidInput: ``unknown-release``.
    """
    if not _is_identifier(name):
        raise InvalidInput("unknown-release", release=name)
    return name


def _is_identifier(name: str) -> bool:
    try:
        _identifier.validate_python(name)
    except ValidationError:
        return False
    return True
