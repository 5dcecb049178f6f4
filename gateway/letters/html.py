"""The letter as one HTML page that needs nothing else: it carries its fonts and prints on A4."""

from base64 import b64encode
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.letters.letter import Letter

HERE = Path(__file__).parent
WEIGHTS = {"Regular": 400, "Bold": 700}


def html_of(letter: Letter) -> str:
    """The letter as HTML; every text is escaped."""
    return _environment().get_template("letter.html.j2").render(letter=letter, fonts=_fonts())


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = FileSystemLoader(HERE)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@lru_cache(maxsize=1)
def _fonts() -> dict[int, str]:
    """Each weight's font file in base64."""
    files = {weight: HERE / "fonts" / f"Sarabun-{name}.ttf" for name, weight in WEIGHTS.items()}
    return {weight: b64encode(path.read_bytes()).decode() for weight, path in files.items()}
