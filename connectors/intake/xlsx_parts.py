"""The small parts of an XLSX workbook: its sheets, which of its cell styles are dates.

Read with expat, which neither fetches nor expands anything here: a document type declaration ends the reading. Sizes
are checked before anything is unpacked.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from xml.parsers import expat
from zipfile import ZipFile

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

from connectors.intake.blocks import DAMAGE
from contracts.errors import InvalidInput

CHUNK: Final = 1 << 20
LARGEST_SHEET: Final = 4 << 30
LARGEST_PART: Final = 1 << 26
DATA_SHEET: Final = "ข้อมูล"
"""The sheet of our templates that is filled in."""

LOCAL_DATE_FORMATS: Final = frozenset({*range(27, 37), *range(50, 59), *range(71, 82)})
"""Numbers of built-in date formats of Asian editions, Thai among them, which no file spells out."""

Attributes = dict[str, str]
OnStart = Callable[[str, Attributes], None]


@dataclass(frozen=True, slots=True)
class Book:
    """What reading a sheet needs of its workbook.

    ``dates`` are the numbers of the cell styles that show dates.
    """

    sheet: str
    dates: frozenset[str]
    from_1904: bool


@contextmanager
def opened(path: Path) -> Iterator[ZipFile]:
    """The workbook's archive; whatever is wrong with it is told as ``import-unreadable``."""
    try:
        with ZipFile(path) as archive:
            yield archive
    except (OSError, *DAMAGE):
        raise InvalidInput("import-unreadable", row=0) from None


def read_book(archive: ZipFile, wanted: str | None) -> Book:
    """The workbook around one sheet: the one of that name, else our template's, else the first that is shown.

    Raises:
        InvalidInput: ``import-sheet-unknown``; ``import-unreadable`` for parts that are too large or missing.
    """
    sheets: list[tuple[str, str, str]] = []
    from_1904 = False

    def start(name: str, attributes: Attributes) -> None:
        nonlocal from_1904
        if name == "workbookPr":
            from_1904 = attributes.get("date1904", "0") in ("1", "true")
        elif name == "sheet":
            link = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            sheets.append((attributes["name"], link, attributes.get("state", "visible")))

    walk(archive, "xl/workbook.xml", LARGEST_PART, start)
    target = _targets(archive)[_chosen(sheets, wanted)]
    part = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl", target))
    size_of(archive, part, LARGEST_SHEET)
    return Book(part, _date_styles(archive), from_1904)


def walk(archive: ZipFile, part: str, largest: int, start: OnStart) -> None:
    """Call ``start`` for each element of a part, names without their prefixes."""
    size_of(archive, part, largest)
    parser = guarded_parser()
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    with archive.open(part) as file:
        while chunk := file.read(CHUNK):
            parser.Parse(chunk, False)  # noqa: FBT003  # expat's own signature
        parser.Parse(b"", True)  # noqa: FBT003  # expat's own signature


def guarded_parser() -> expat.XMLParserType:
    """A parser that stops at a document type declaration, so that nothing is ever expanded."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    return parser


def _no_doctype(*_: object) -> None:
    raise ValueError("a workbook declares no document type")


def size_of(archive: ZipFile, part: str, largest: int) -> int:
    """How large a part is when unpacked.

    Raises:
        InvalidInput: ``import-too-large``.
    """
    size = archive.getinfo(part).file_size
    if size > largest:
        raise InvalidInput("import-too-large")
    return size


def _targets(archive: ZipFile) -> dict[str, str]:
    targets: dict[str, str] = {}

    def start(name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            targets[attributes["Id"]] = attributes["Target"]

    walk(archive, "xl/_rels/workbook.xml.rels", LARGEST_PART, start)
    return targets


def _chosen(sheets: list[tuple[str, str, str]], wanted: str | None) -> str:
    for name, link, _ in sheets:
        if name == (wanted or DATA_SHEET):
            return link
    shown = [link for _, link, state in sheets if state == "visible"]
    if wanted is not None or not shown:
        raise InvalidInput("import-sheet-unknown", sheet=wanted or DATA_SHEET)
    return shown[0]


def _date_styles(archive: ZipFile) -> frozenset[str]:
    part = "xl/styles.xml"
    if part not in archive.namelist():
        return frozenset()
    formats: dict[int, str] = dict(BUILTIN_FORMATS)
    styles: list[int] = []
    inside = ""

    def start(name: str, attributes: Attributes) -> None:
        nonlocal inside
        if name == "numFmt" and "numFmtId" in attributes:
            formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif name in ("cellXfs", "cellStyleXfs", "dxfs", "cellStyles"):
            inside = name
        elif name == "xf" and inside == "cellXfs":
            styles.append(int(attributes.get("numFmtId", "0")))

    walk(archive, part, LARGEST_PART, start)
    return frozenset(
        str(place)
        for place, number in enumerate(styles)
        if number in LOCAL_DATE_FORMATS or is_date_format(formats.get(number, ""))
    )
