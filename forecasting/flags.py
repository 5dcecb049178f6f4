"""What a flag means: the codes that stand beside a figure which must not be read without a warning."""

import tomllib
from functools import lru_cache
from pathlib import Path

from contracts.dataset import Text
from contracts.errors import InvalidInput

_MEANINGS = Path(__file__).with_suffix(".toml")


def meaning_of(flag: str) -> Text:
    """What a flag tells a reader, in Thai and English.

    Raises:
        InvalidInput: ``unknown-flag``.
    """
    found = meanings().get(flag)
    if found is None:
        raise InvalidInput("unknown-flag", flag=flag, choices=", ".join(sorted(meanings())))
    return found


@lru_cache(maxsize=1)
def meanings() -> dict[str, Text]:
    """Every flag with its meaning, in the order of the file."""
    given = tomllib.loads(_MEANINGS.read_text(encoding="utf-8"))
    return {flag: Text.model_validate(words) for flag, words in given.items()}
