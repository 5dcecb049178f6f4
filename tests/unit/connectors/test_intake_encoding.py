"""Finding out how a text file is written."""

from pathlib import Path

import pytest

from connectors.intake.encoding import delimiter_of, encoding_of
from contracts.errors import InvalidInput

pytestmark = pytest.mark.unit
TEXT = "จังหวัด,วันที่\nกรุงเทพมหานคร,๑/๒/๒๕๖๘\nที่นี่,เนื่องจากเธอ\n"


def written(folder: Path, data: bytes) -> Path:
    path = folder / "file.csv"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("codec", "found"),
    [
        *(("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le")),
        *(("utf-16-be", "utf-16-be"), ("cp874", "cp874"), ("tis-620", "cp874")),
    ],
)
def test_an_encoding_is_found_from_the_bytes(tmp_path: Path, codec: str, found: str) -> None:
    assert encoding_of(written(tmp_path, TEXT.encode(codec))) == found


def test_one_wrong_byte_at_the_end_of_a_large_file_is_seen(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="import-encoding"):
        encoding_of(written(tmp_path, TEXT.encode() * 30_000 + b"\xe0\xb8"))


@pytest.mark.parametrize(
    "data",
    [
        "café,naïve\n".encode("latin-1"),
        "Übergröße\n".encode("cp1252") + b"\x81",
        b"\xef\xbb\xbf\xff\xff",
        b"a\0b\0c",
        b"\xff\xfea",
    ],
)
def test_what_is_no_thai_or_unicode_text_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidInput, match="import-encoding"):
        encoding_of(written(tmp_path, data))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_delimiter_is_found_from_the_first_rows(tmp_path: Path, delimiter: str) -> None:
    rows = [["a", "b, c", "d;e"], ["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]]
    text = "\n".join(delimiter.join(f'"{each}"' for each in row) for row in rows)
    assert delimiter_of(written(tmp_path, text.encode()), "utf-8") == delimiter


def test_a_file_of_one_column_is_read_by_commas(tmp_path: Path) -> None:
    assert delimiter_of(written(tmp_path, b"a\n1\n2\n"), "utf-8") == ","
    assert delimiter_of(written(tmp_path, b""), "utf-8") == ","
