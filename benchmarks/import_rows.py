"""``./run bench import_rows``: a million rows of the real 15-column contract from CSV, XLSX and Parquet into the store.

Dates are of the Buddhist era, provinces and codes are names, every hundredth row is bad. Each import runs in a process
of its own, so that its peak memory is its own. Beside them, in the same run, DuckDB reads the same CSV file and nothing
more: the ratio is what checking every cell and storing every row costs.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import duckdb
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
from pydantic_core import from_json, to_json

from benchmarks.report import print_report
from connectors.home import Home
from connectors.intake.run import Wanted, import_file
from contracts.code_lists import code_list
from contracts.odcs import bundled_text

ROWS = 1_000_000
BLOCK = 50_000
BAD_EVERY = 100
DATASET = "tpo_complaint"
MEGABYTE = 1024
NAMES = (
    *("case_ref", "victim_id", "reported_at", "occurred_at", "province", "station", "channel", "case_type"),
    *("platform", "victim_age", "victim_sex", "damage_thb", "linked", "stage", "crimes_ref"),
)
KINDS = ("csv", "xlsx", "parquet")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(to_json(_one(arguments.one)).decode())
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = _measure(Path(folder), arguments.rows)
    ratios = {f"{kind}_vs_bare_csv": figures[f"{kind}_seconds"] / figures["bare_csv_seconds"] for kind in KINDS}
    print_report("import_rows", figures, ratios, as_json=arguments.json)


def _measure(folder: Path, rows: int) -> dict[str, float]:
    _write_csv(folder / "rows.csv", rows)
    _write_xlsx(folder / "rows.xlsx", rows)
    _write_parquet(folder / "rows.parquet", rows)
    seconds, worked = _bare(folder / "rows.csv")
    figures: dict[str, float] = {"rows": rows, "bare_csv_seconds": seconds, "bare_csv_cpu_seconds": worked}
    for kind in KINDS:
        command = [sys.executable, "-m", "benchmarks.import_rows", "--one", str(folder / f"rows.{kind}")]
        done = from_json(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603  # this module
        figures |= {f"{kind}_seconds": done["seconds"], f"{kind}_rows_rejected": done["rejected"]}
        figures |= {f"{kind}_cpu_seconds": done["cpu"], f"{kind}_peak_megabytes": done["peak"]}
    return figures


def _one(path: Path) -> dict[str, float]:
    """Import one file into an empty home."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.make()
        (home.contracts / f"{DATASET}.odcs.yaml").write_text(bundled_text(DATASET), encoding="utf-8")
        begin, worked = time.perf_counter(), time.process_time()
        report = import_file(home, path, Wanted(DATASET), datetime.now(UTC), lambda _stage, _share: None)
        seconds, worked = time.perf_counter() - begin, time.process_time() - worked
    return {"seconds": seconds, "cpu": worked, "rejected": report.rejected, "peak": _peak()}


def _peak() -> float:
    """Most megabytes of this program at once; unlike the maximum of ``getrusage`` it leaves out who started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / MEGABYTE


def _bare(path: Path) -> tuple[float, float]:
    begin, worked = time.perf_counter(), time.process_time()
    with duckdb.connect() as connection:
        connection.read_csv(str(path), all_varchar=True, header=True).create("plain")
    return time.perf_counter() - begin, time.process_time() - worked


def _blocks(rows: int) -> Iterator[list[tuple[str, ...]]]:
    draw = np.random.Generator(np.random.PCG64(1))
    provinces = [f"จังหวัด{title.th}" for title in code_list("provinces").titles.values()]
    types = [title.th for title in code_list("tech_case_types").titles.values()]
    for start in range(0, rows, BLOCK):
        size = min(BLOCK, rows - start)
        people = draw.integers(0, rows // 3 + 1, size)
        days = [
            (day, month, year) for day, month, year in draw.integers((1, 1, 2564), (29, 13, 2568), (size, 3)).tolist()
        ]
        clocks = draw.integers((0, 0), (24, 60), (size, 2)).tolist()
        damage = draw.lognormal(9, 1.5, size)
        picks = draw.integers(0, 1000, (size, 5)).tolist()
        yield [
            (
                f"T{start + place:012}",
                f"{people[place]:032x}",
                f"{day:02}/{month:02}/{year} {clock[0]:02}.{clock[1]:02} น.",
                f"{day} {'ม.ค.' if month == 1 else 'ก.พ.'} {year}",
                "ไม่มีจังหวัดนี้" if (start + place) % BAD_EVERY == 0 else provinces[pick[0] % len(provinces)],
                f"สภ.{pick[1]}",
                "AOC",
                types[pick[2] % len(types)],
                "Facebook",
                str(pick[3] % 100),
                "หญิง" if pick[4] % 2 else "ชาย",
                f"{damage[place]:.2f}",
                "ไม่ใช่",
                "COMPLAINT",
                "",
            )
            for place, ((day, month, year), clock, pick) in enumerate(zip(days, clocks, picks, strict=True))
        ]


def _write_csv(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(NAMES)
        for block in _blocks(rows):
            writer.writerows(block)


def _write_parquet(path: Path, rows: int) -> None:
    writer = None
    for block in _blocks(rows):
        table = pa.table({name: pa.array(column) for name, column in zip(NAMES, zip(*block, strict=True), strict=True)})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _write_xlsx(path: Path, rows: int) -> None:
    """As spreadsheets do: texts are shared, numbers are numbers."""
    shared: dict[str, int] = {}
    letters = [chr(ord("A") + place) for place in range(len(NAMES))]
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets><sheet name="a" sheetId="1" r:id="r1"/>'
            "</sheets></workbook>",
        )
        links = '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>'
        archive.writestr("xl/_rels/workbook.xml.rels", links)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as file:
            file.write(f'<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            number = 0
            for block in _with_heading(rows):
                for line in block:
                    number += 1
                    cells = "".join(_cell(letters[p], number, text, shared) for p, text in enumerate(line) if text)
                    file.write(f'<row r="{number}">{cells}</row>'.encode())
            file.write(b"</sheetData></worksheet>")
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as file:
            file.write(f'<sst xmlns="{MAIN}">'.encode())
            for text in shared:
                file.write(f"<si><t>{text}</t></si>".encode())
            file.write(b"</sst>")


def _with_heading(rows: int) -> Iterator[list[tuple[str, ...]]]:
    yield [NAMES]
    yield from _blocks(rows)


def _cell(letter: str, number: int, text: str, shared: dict[str, int]) -> str:
    if text[0].isdigit() and text.replace(".", "", 1).isdigit():
        return f'<c r="{letter}{number}"><v>{text}</v></c>'
    return f'<c r="{letter}{number}" t="s"><v>{shared.setdefault(text, len(shared))}</v></c>'


if __name__ == "__main__":
    main()
