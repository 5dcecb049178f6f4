"""A large part of a workbook, unpacked as a stream and given in pieces of whole elements."""

import re
from collections.abc import Iterator
from typing import Final
from zipfile import ZipFile

from connectors.intake.xlsx_parts import CHUNK

PIECE: Final = 1 << 23
"""Bytes of a part that are taken apart at once; no element may be longer."""


def pieces(archive: ZipFile, part: str, around: str, element: str, size: int = PIECE) -> Iterator[tuple[str, float]]:
    """Whole elements of a part as text, names without their prefix, and which share of the part has been unpacked.

    Args:
        archive: The workbook.
        part: The part's name.
        around: The element that holds the others.
        element: The elements that are not to be cut.
        size: Bytes that are unpacked at once.

    Raises:
        ValueError: For a part that declares a document type, lacks the element around, or has comments or character
            data sections in it, which no program writes.
    """
    total = max(archive.getinfo(part).file_size, 1)
    with archive.open(part) as file:
        prefix, rest = _beginning(file.read(CHUNK), around)
        ending = b"</" + prefix + element.encode() + b">"
        while chunk := file.read(size):
            rest += chunk
            cut = rest.rfind(ending) + len(ending)
            if cut >= len(ending):
                yield _plain(rest[:cut], prefix), min(file.tell() / total, 1.0)
                rest = rest[cut:]
            elif len(rest) > PIECE:
                raise ValueError("an element that is too long")
    cut = rest.rfind(ending) + len(ending)
    if cut >= len(ending):
        yield _plain(rest[:cut], prefix), 1.0


def _beginning(head: bytes, around: str) -> tuple[bytes, bytes]:
    """The prefix of the part's names, and what follows after the beginning of the element around."""
    found = re.search(rf"<((?:\w+:)?){around}(?:\s[^<>]*)?>".encode(), head)
    if found is None or b"<!DOCTYPE" in head:
        raise ValueError("no part of a workbook")
    return found[1], head[found.end() :]


def _plain(elements: bytes, prefix: bytes) -> str:
    if b"<!" in elements:
        raise ValueError("no program writes comments or character data sections here")
    if prefix:
        elements = elements.replace(b"<" + prefix, b"<").replace(b"</" + prefix, b"</")
    return elements.decode()
