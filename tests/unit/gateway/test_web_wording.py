"""Texts in both languages, and whose wish decides the language."""

import string
from pathlib import Path

import pytest

from gateway.web import wording

pytestmark = pytest.mark.unit
TEMPLATES = Path(wording.__file__).parent / "templates"


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts_with_the_same_names_to_fill() -> None:
    th, en = wording.texts("th"), wording.texts("en")
    assert set(th) == set(en)
    assert {key for key in th if _names(th[key]) != _names(en[key])} == set()


def test_thai_texts_are_thai() -> None:
    plain = {key for key, text in wording.texts("th").items() if not any("ก" <= letter <= "๛" for letter in text)}
    assert plain == {"other_language", "colon", "mase", "wape"}


def test_every_text_is_used() -> None:
    written = "".join(path.read_text("utf-8") for path in TEMPLATES.glob("*.html"))
    spans = {f"{unit}{form}" for unit in ("seconds", "minutes", "hours") for form in ("", "_short")}
    families = ("level_", "short_", "state_", "protect_", "role_", "method_", "agreement_", "act_", "because_", "log_")
    unused = {key for key in wording.texts("th") if f"'{key}'" not in written and not key.startswith(families)}
    assert unused == spans


def test_a_text_without_its_name_is_a_defect() -> None:
    with pytest.raises(KeyError):
        wording.text("th", "fan_note")
    with pytest.raises(KeyError):
        wording.text("th", "no-such-text")


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "lang"),
    [
        (None, None, "", "th"),
        ("en", "th", "th", "en"),
        ("de", "en", "th", "en"),
        (None, "xx", "en-US,en;q=0.9,th;q=0.8", "en"),
        (None, None, "th-TH,en;q=0.9", "th"),
        (None, None, "de,en;q=0.4,th;q=0.6", "th"),
        (None, None, "en;q=0", "th"),
        (None, None, "en;q=zero,fr", "th"),
    ],
)
def test_the_latest_wish_decides_and_thai_is_the_default(
    asked: str | None, remembered: str | None, accepted: str, lang: str
) -> None:
    assert wording.language_of(asked, remembered, accepted) == lang
