"""The letter as PDF, set by Typst: Thai is broken between words and its marks are placed as the font says."""

from datetime import datetime
from pathlib import Path

import typst

from gateway.letters.letter import Letter

HERE = Path(__file__).parent


def pdf_of(letter: Letter, at: datetime) -> bytes:
    """The letter on A4, tagged for screen readers (PDF/UA-1); the same letter at the same time gives the same bytes.

    Args:
        letter: The letter; its texts are data to the typesetter, never markup.
        at: The instant that the file says it was made.
    """
    made: bytes = typst.compile(
        str(HERE / "letter.typ"),
        format="pdf",
        font_paths=[str(HERE / "fonts")],
        ignore_system_fonts=True,
        sys_inputs={"letter": letter.model_dump_json()},
        pdf_standards=["ua-1"],
        timestamp=int(at.timestamp()),
    )
    return made
