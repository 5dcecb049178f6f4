"""Files that somebody names on the command line: one that is not there is said to be missing, and nothing else."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from contracts.errors import InvalidInput

Read = TypeVar("Read", bound=BaseModel)


def given_bytes(file: Path) -> bytes:
    """What a file holds.

    Raises:
        InvalidInput: ``file-unreadable``, naming the file without its folder.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput("file-unreadable", file=file.name) from error


def given_value(model: type[Read], file: Path) -> Read:
    """The value that a file holds as JSON.

    Raises:
        InvalidInput: ``file-unreadable``; ``malformed-body``, when it holds something else.
    """
    data = given_bytes(file)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where=file.name) from error
