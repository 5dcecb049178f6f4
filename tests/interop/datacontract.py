"""Do our contracts hold for a tool that is not ours? ``datacontract lint`` and ``datacontract test``, for all of them.

    python tests/interop/datacontract.py --tool PATH-OF-DATACONTRACT [DATASET ...]

For each contract an agency's database is made up, the contract gets a server entry that names it, and the tool lints
the contract and holds the database against it; a check that it cannot make is no pass. Last, a database that has
drifted away from its contract must be noticed: otherwise a green line would mean nothing. One line a contract; ends
with 1 if a verdict is not the expected one.

The tool brings its own, older DuckDB and cannot share an environment with the project. It is asked in one process,
through its own command line, since it takes longer to start than to check a contract.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from connectors.synthetic.generate import Extent, generate_for
from contracts.odcs import bundled_ids, bundled_text, canonical_document, read_contract

READABLE = "v1.4.0"
"""The form of a DuckDB file that both versions read."""

MONTHS = 14
ROWS_A_YEAR = {"ssz_station_month": 1.0, "ref_population": 1.0, "cvs": 0.2, "dop_em": 0.1}
"""The share of real volume that is enough; of all others a thousandth."""

DRIFTED = "tpo_complaint"
ASK = """
import contextlib, io, json, sys
from importlib.metadata import version
from datacontract.cli import app
for name, path in json.load(sys.stdin):
    verdicts, words = {}, io.StringIO()
    for verb in ("lint", "test"):
        with contextlib.redirect_stdout(words), contextlib.redirect_stderr(words):
            try:
                verdicts[verb] = app([verb, path], standalone_mode=False) or 0
            except SystemExit as stop:
                verdicts[verb] = stop.code or 0
            except Exception as error:
                words.write(repr(error))
                verdicts[verb] = 1
    answer = {"name": name, "version": version("datacontract-cli"), **verdicts, "words": words.getvalue()}
    print(json.dumps(answer), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tool says of one contract: 0 is good."""

    name: str
    version: str
    lint: int
    test: int
    words: str

    @property
    def checks(self) -> int:
        """How many checks ``test`` made; 0 when it could not make all of them."""
        made = re.findall(r"Ran (\d+) checks", self.words)
        return 0 if "has warnings" in self.words or len(made) != len(("lint", "test")) else int(made[-1])

    @property
    def good(self) -> bool:
        """Whether the tool has nothing to say against the contract or the database."""
        return self.lint == 0 and self.test == 0 and self.checks > 0


def main(arguments: Sequence[str]) -> int:
    """Ask, print a line for each, and give the exit code."""
    parser = argparse.ArgumentParser(description="Our contracts, held against data by datacontract-cli.")
    parser.add_argument(
        "--tool", type=Path, required=True, help="the datacontract program, in an environment of its own"
    )
    parser.add_argument("datasets", nargs="*", default=list(bundled_ids()), metavar="DATASET")
    given = parser.parse_args(arguments)
    python = given.tool.parent / "python"
    if not (given.tool.exists() and python.exists()):
        print(f"datacontract: missing: {given.tool}", file=sys.stderr)  # noqa: T201  # a program
        return 1
    with tempfile.TemporaryDirectory() as folder:
        asked = [(name, str(_prepared(name, Path(folder)))) for name in given.datasets]
        drifted = [("drift", str(_drifted(Path(folder))))]
        return max([_say(each) for each in _answers(python, asked + drifted)], default=1)


def _prepared(name: str, folder: Path) -> Path:
    """The contract as the agency would hand it to the tool, beside a database of made-up rows that it describes."""
    text = bundled_text(name)
    document = canonical_document(text)
    own, shared = folder / f"{name}.own", folder / f"{name}.duckdb"
    extent = Extent(scale=ROWS_A_YEAR.get(name, 0.001), months=MONTHS, until=_today(), seed=2569)
    generate_for(read_contract(text), document, f"duckdb:///{own}", extent)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{own}' AS own (READ_ONLY)")
        connection.execute(f"ATTACH '{shared}' AS shared (STORAGE_VERSION '{READABLE}')")
        connection.execute("COPY FROM DATABASE own TO shared")
    return _with_server(name, document, shared)


def _drifted(folder: Path) -> Path:
    """The same, after the agency dropped a column, emptied another and wrote words where numbers were."""
    path = _prepared(DRIFTED, _made(folder / "drift"))
    with duckdb.connect(str(path.with_suffix(".duckdb"))) as connection:
        connection.execute(f"CREATE TABLE kept AS SELECT * EXCLUDE (stage) FROM {DRIFTED}")  # noqa: S608  # a fixed name
        connection.execute(f"DROP TABLE {DRIFTED}")
        connection.execute("UPDATE kept SET channel = NULL")
        connection.execute("ALTER TABLE kept ALTER damage_thb TYPE VARCHAR")
        connection.execute(f"ALTER TABLE kept RENAME TO {DRIFTED}")
    return path


def _with_server(name: str, document: bytes, database: Path) -> Path:
    contract = json.loads(document)
    contract["servers"] = [{"server": "generated", "type": "duckdb", "database": str(database), "schema": "main"}]
    path = database.with_suffix(".yaml")
    path.write_text(json.dumps(contract, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    return path


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _today() -> date:
    """Retention is held against the clock of the day, so the made-up rows end today."""
    return datetime.now(UTC).date()


def _answers(python: Path, asked: Sequence[tuple[str, str]]) -> Iterator[Verdict]:
    with subprocess.Popen(
        [python, "-I", "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked))
        process.stdin.close()
        found = [Verdict(**json.loads(line)) for line in process.stdout]
    yield from found
    for name, _ in asked[len(found) :]:
        yield Verdict(name, "?", 1, 1, "the tool gave no answer")


def _say(verdict: Verdict) -> int:
    """One line, and the tool's own words where its verdict is not the expected one."""
    label = f"datacontract-cli {verdict.version}"
    if verdict.name == "drift":
        good = verdict.lint == 0 and verdict.test != 0
        line = f"{label}  {DRIFTED}, drifted: {'noticed' if good else 'NOT NOTICED'}"
    else:
        good = verdict.good
        number = read_contract(bundled_text(verdict.name)).version
        lint, test = ("passed" if each else "FAILED" for each in (verdict.lint == 0, good))
        line = f"{label}  {verdict.name} {number}: lint {lint}, test {test} ({verdict.checks} checks)"
    print(line, flush=True)  # noqa: T201  # a program
    if not good:
        print(verdict.words, file=sys.stderr)  # noqa: T201  # a program
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
