"""The page's texts in Thai and English, from ``messages/``; Thai is the default."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "messages"
LANGUAGES = ("th", "en")
DEFAULT = "th"


@lru_cache(maxsize=len(LANGUAGES))
def texts(lang: str) -> Mapping[str, str]:
    """Every text of a language, by its key."""
    return {key: str(text) for key, text in tomllib.loads((FOLDER / f"{lang}.toml").read_text("utf-8")).items()}


def text(lang: str, key: str, **names: object) -> str:
    """One text with its names filled in; a key that does not exist is a defect."""
    return texts(lang)[key].format(**names)


def language_of(asked: str | None, remembered: str | None, accepted: str) -> str:
    """The language to answer in.

    Args:
        asked: ``?lang=`` of this call.
        remembered: The cookie of an earlier choice.
        accepted: The ``Accept-Language`` header; the best ranked of our languages counts.
    """
    for wish in (asked, remembered):
        if wish in LANGUAGES:
            return wish
    ranked = sorted(map(_ranked, accepted.split(",")), reverse=True, key=lambda each: each[0])
    return next((lang for weight, lang in ranked if lang in LANGUAGES and weight > 0), DEFAULT)


def _ranked(part: str) -> tuple[float, str]:
    tag, _, parameter = part.strip().partition(";")
    weight = parameter.strip().removeprefix("q=") if parameter else "1"
    try:
        return float(weight), tag.strip().lower().partition("-")[0]
    except ValueError:
        return 0.0, ""
