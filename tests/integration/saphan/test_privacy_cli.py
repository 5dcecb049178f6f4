"""Records, people's requests, breaches and retention from the command line, against a served gateway."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from connectors import objections
from connectors.home import Home
from gateway.main import system_clock
from saphan.__main__ import command_line
from tests import factories
from tests.gateway_world import CONTRACT
from tests.served_world import Served, served_gateway

pytestmark = pytest.mark.integration

AGREED = factories.agreement((CONTRACT,), period=factories.period("2025-10-01", "2056-10-01"))
BREACH = (
    *("--nature", "confidentiality", "--description", "เครื่องสูญหาย", "--categories", "ผู้เสียหาย", "--people", "40"),
    *("--consequences", "อาจถูกแอบอ้าง", "--measures", "ลบข้อมูลแล้ว", "--risk", "risk", "--contact", "ศูนย์รับแจ้งเหตุ"),
)
DISCLOSURE = (
    *("--recipient", "สำนักงาน ปปง.", "--purpose", "ตรวจสอบเส้นทางการเงิน", "--basis", "พ.ร.ก. มาตรา 4"),
    *("--oia24", "24(6)", "--category", "บัญชีที่ถูกร้องทุกข์", "--records", "12", "--on", "2026-01-14"),
)


def invoke(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(command_line(arguments), list(arguments), input=typed)


class Desk:
    """A served gateway and CCIB's home."""

    def __init__(self, served: Served, ccib: Path) -> None:
        self.served, self.ccib = served, ccib

    def run(self, *arguments: str) -> Result:
        return invoke(*arguments, "--home", str(self.ccib))

    def read(self, *arguments: str) -> dict[str, object]:
        answer = self.run(*arguments, "--json")
        assert answer.exit_code == 0, answer.stderr
        value: dict[str, object] = json.loads(answer.stdout)
        return value


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("privacy-cli")
    with served_gateway(folder / "gateway") as served:
        served.world().register((CONTRACT,), AGREED)
        yield Desk(served, served.member_home(folder / "ccib", "ccib"))


def test_a_request_is_filed_listed_and_answered(desk: Desk, tmp_path: Path) -> None:
    filed = desk.read("subject", "file", "objection", "--dataset", CONTRACT.id)
    assert (filed["agency"], filed["section"], filed["state"]) == ("ccib", "32", "received")
    name = str(filed["id"])
    assert desk.read("subject", "answer", name, "acknowledge")["state"] == "acknowledged"
    without = desk.run("subject", "answer", name, "refuse")
    assert without.exit_code == 2, without.stderr
    refused = desk.read("subject", "answer", name, "refuse", "--reason", "public-task", "--note", "คดียังไม่สิ้นสุด")
    assert refused["state"] == "refused"
    assert desk.read("subject", "show", name)["id"] == name
    book = tmp_path / "subjects.xlsx"
    assert desk.run("subject", "list", "--output", str(book)).exit_code == 0
    assert name in [row[0] for row in openpyxl.load_workbook(book).worksheets[0].iter_rows(values_only=True)]


def test_a_request_about_a_dataset_that_nobody_has_is_not_filed(desk: Desk) -> None:
    answer = desk.run("subject", "file", "access", "--dataset", "no_such")
    assert answer.exit_code == 2
    assert "unknown-contract" in answer.stderr


def test_a_request_is_forwarded_to_a_named_agency_and_dataset_only(desk: Desk) -> None:
    name = str(desk.read("subject", "file", "access", "--dataset", CONTRACT.id, "--agency", "ccib")["id"])
    assert "dataset-not-held" in desk.run("subject", "answer", name, "forward", "--to", "rtp/no_such").stderr


def test_a_breach_is_recorded_updated_and_closed(desk: Desk, tmp_path: Path) -> None:
    now = (system_clock() + timedelta(hours=7)).replace(tzinfo=None)
    at = (now - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M")
    recorded = desk.read("breach", "record", *BREACH, "--detected", at)
    assert recorded["state"] == "open"
    assert 66 * 3600 < int(str(recorded["seconds_left"])) < 68 * 3600
    breach = recorded["breach"]
    assert isinstance(breach, dict)
    name = str(breach["id"])
    told = desk.read("breach", "update", name, "--notified", now.strftime("%Y-%m-%dT%H:%M"), "--people", "41")
    assert (told["state"], told["versions"]) == ("notified", 2)
    assert desk.read("breach", "update", name, "--close")["state"] == "closed"
    form = tmp_path / "form.xlsx"
    assert desk.run("breach", "show", name, "--output", str(form)).exit_code == 0
    assert openpyxl.load_workbook(form).sheetnames == [name]
    assert name in desk.run("breach", "list").stdout


def test_a_breach_that_is_closed_too_early_says_why_not(desk: Desk) -> None:
    at = (system_clock() + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M")
    breach = desk.read("breach", "record", *BREACH, "--detected", at)["breach"]
    assert isinstance(breach, dict)
    answer = desk.run("breach", "update", str(breach["id"]), "--close")
    assert answer.exit_code == 2
    assert "those were told whom its risk requires" in answer.stderr


def test_a_disclosure_and_the_record_of_processing_are_written_as_workbooks(desk: Desk, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"the letter itself stays here")
    arguments = ("record", "disclose", "dis-2569-001", *DISCLOSURE, "--document", str(letter), "--dataset", CONTRACT.id)
    line = desk.read(*arguments)
    assert (line["kind"], line["records"]) == ("legal", 12)
    for command in (("disclosures",), ("processing", "ccib")):
        book = tmp_path / f"{command[0]}.xlsx"
        answer = desk.run("record", *command, "--output", str(book))
        assert answer.exit_code == 0, answer.stderr
        texts = [str(cell.value) for sheet in openpyxl.load_workbook(book) for row in sheet.iter_rows() for cell in row]
        assert "สำนักงาน ปปง." in texts
    wrong = desk.run("record", "disclosures", "--output", str(tmp_path / "x.csv"))
    assert "unknown-format" in wrong.stderr


def test_a_home_without_the_right_person_s_key_says_so(desk: Desk, tmp_path: Path) -> None:
    home = shutil.copytree(desk.ccib, tmp_path / "home")
    for key in (home / "keys").glob("ccib~dpo*"):
        key.unlink()
    name = str(desk.read("subject", "file", "access", "--dataset", CONTRACT.id)["id"])
    answer = invoke("subject", "answer", name, "fulfil", "--home", str(home))
    assert answer.exit_code == 2
    assert "key-not-held (1557)" in answer.stderr
    assert "registered: dpo" in answer.stderr


def test_the_gateway_retains_and_anybody_sees_the_certificates(desk: Desk) -> None:
    gateway = str(desk.served.home)
    told = invoke("gateway", "retain", "--dry-run", "--home", gateway, "--json")
    assert json.loads(told.stdout)[0]["dry_run"] is True, told.stderr
    assert invoke("gateway", "retain", "--home", gateway).exit_code == 0
    listed = json.loads(desk.run("record", "retention").stdout)
    assert listed[0]["certificate"]["program"] == "gateway"
    assert any(each["certificate"]["id"].startswith("daily-") for each in listed), "a served gateway runs it by itself"


# ---------------------------------------------------------------- the connector's own


def connector_home(path: Path) -> Path:
    database = path / "agency.db"
    made = invoke(
        *("connector", "init", "--agency", "ccib", "--gateway", "http://127.0.0.1:1", "--dataset", "tpo_complaint"),
        *("--source", f"sqlite:///{database}", "--home", str(path / "home")),
    )
    assert made.exit_code == 0, made.stderr
    filled = invoke("connector", "generate", "--scale", "0.001", "--months", "3", "--home", str(path / "home"))
    assert filled.exit_code == 0, filled.stderr
    return path / "home"


def test_who_objects_is_read_from_standard_input_and_gone_after_the_refresh(tmp_path: Path) -> None:
    home = connector_home(tmp_path)
    at = ("--home", str(home), "--json")
    before = json.loads(invoke("connector", "refresh", *at).stdout)["datasets"][0]
    connection = sqlite3.connect(tmp_path / "agency.db")
    (person, rows), *_ = connection.execute(
        "SELECT victim_id, count(*) FROM tpo_complaint GROUP BY victim_id ORDER BY victim_id LIMIT 1"
    ).fetchall()
    connection.close()
    noted = invoke("connector", "object", "--dataset", "tpo_complaint", *at, typed=f"{person}\n")
    assert noted.exit_code == 0, noted.stderr
    assert json.loads(noted.stdout)["left_out"] is True
    assert str(person) not in noted.stdout + noted.stderr + (home / objections.FILE).read_text()
    after = json.loads(invoke("connector", "refresh", *at).stdout)["datasets"][0]
    assert after["kept_rows"] == before["kept_rows"] - rows
    lifted = invoke("connector", "object", "--dataset", "tpo_complaint", "--lift", *at, typed=str(person))
    assert json.loads(lifted.stdout)["left_out"] is False
    again = json.loads(invoke("connector", "refresh", *at).stdout)["datasets"][0]
    assert again["kept_rows"] == before["kept_rows"]
    runs = json.loads(invoke("connector", "retain", "--list", *at).stdout)
    assert len(runs) == 3, "each refresh begins with one"
    assert json.loads(invoke("connector", "retain", "--dry-run", *at).stdout)["certificate"]["dry_run"] is True
    assert Home(home).journal.exists()


@pytest.mark.parametrize(("typed", "changed"), [("", ()), ("a\nb\n", ()), ("a\n", ("--section", "33"))])
def test_what_is_no_key_or_no_right_is_refused(tmp_path: Path, typed: str, changed: tuple[str, ...]) -> None:
    made = invoke(
        *("connector", "init", "--agency", "ccib", "--gateway", "http://127.0.0.1:1", "--dataset", "tpo_complaint"),
        *("--source", "sqlite://", "--home", str(tmp_path / "home")),
    )
    assert made.exit_code == 0, made.stderr
    at = ("--home", str(tmp_path / "home"))
    answer = invoke("connector", "object", "--dataset", "tpo_complaint", *changed, *at, typed=typed)
    assert answer.exit_code == 2
    assert ("malformed-body" if changed else "person-key-missing") in answer.stderr
    assert "unknown-contract" in invoke("connector", "object", "--dataset", "none", *at, typed="a").stderr
    assert not (tmp_path / "home" / objections.FILE).exists()
