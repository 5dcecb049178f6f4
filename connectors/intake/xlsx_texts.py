"""The shared texts of a workbook: its cells name them by number.

A text is written plainly as a rule, and many are taken apart at once; what has formats, sounds or entities in it is
read by expat.
"""

from typing import Final
from zipfile import ZipFile

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types

from connectors.intake.blocks import LONGEST_CELL, tidy
from connectors.intake.xlsx_parts import guarded_parser, size_of
from connectors.intake.xlsx_pieces import pieces

PART: Final = "xl/sharedStrings.xml"
LARGEST: Final = 1 << 28
"""Bytes: room for four texts of their own in each row of a full sheet."""

_TEXT: Final = r"^<t(?: [^<>]*)?>([^<&]*)</t></si>\s*$"


def shared_texts(archive: ZipFile) -> pa.Array:
    """The shared texts by number, kept as Arrow strings: a third of what Python's would take.

    Raises:
        InvalidInput: ``import-too-large``.
        ValueError: For a part that is none of a workbook.
    """
    if PART not in archive.namelist():
        return pa.array([], pa.string())
    size_of(archive, PART, LARGEST)
    found = [pa.array([], pa.string())]
    for texts, _ in pieces(archive, PART, "sst", "si"):
        found.append(tidy(_plain(texts) or _any_form(texts)))
    return pa.concat_arrays(found)


def _plain(texts: str) -> pa.Array | None:
    split = pl.Series([texts]).str.split("<si>").explode()
    if split[0].strip():
        return None
    found = split.slice(1).str.extract(_TEXT)
    return None if found.null_count() else found.to_arrow().cast(pa.string())


def _any_form(texts: str) -> pa.Array:
    found: list[list[str]] = []
    # rPh holds how a text is read aloud; its own text comes in a t as well, which is left out.
    state = {"spoken": False, "reading": False}

    def start(name: str, _: dict[str, str]) -> None:
        if name == "si":
            found.append([])
        state["reading"] = name == "t" and not state["spoken"]
        state["spoken"] = name == "rPh"

    def end(_: str) -> None:
        state["reading"] = False

    def text(piece: str) -> None:
        if state["reading"]:
            found[-1].append(piece)

    parser = guarded_parser()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.Parse(f"<sst>{texts}</sst>", True)  # noqa: FBT003  # expat's own signature
    return pa.array(["".join(each)[: LONGEST_CELL + 1] for each in found], pa.string())
