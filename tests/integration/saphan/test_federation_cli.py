"""``saphan federation`` in its corners: what officers may do by mistake, and files that do not fit together."""

import json
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from contracts.federation import KeyPurpose, Member
from gateway.home import GatewayHome
from gateway.registry.keeper import repository_of
from gateway.store.engine import Store
from keys.folder import KeyFolder
from saphan.__main__ import command_line
from tests.factories import text
from tests.migrated_store import write_migrated
from tests.registry_world import Signers
from trust.copies import RegistryCopy, take_along
from trust.reader import read, read_copy
from trust.roles import ROOT, TARGETS, version_of

pytestmark = pytest.mark.integration

OFFICERS = ("ccib", "rtp", "dop")


def now() -> datetime:
    """The machine's time, by which the commands go."""
    return datetime.now(UTC)


@dataclass
class Desk:
    """A folder with every home."""

    folder: Path
    signers: Signers = field(default_factory=lambda: Signers(now() - timedelta(hours=1)))

    def run(self, *words: str | Path, code: int = 0) -> Result:
        line = ["federation", *(str(word) for word in words)]
        done = CliRunner().invoke(command_line(line), line)
        assert done.exit_code == code, done.output
        return done

    def home(self, name: str, *kids: str) -> Path:
        """A home that holds and states keys."""
        path = self.folder / name
        for kid in kids:
            KeyFolder(path).save(self.signers.key(kid))
        agency = kids[0].partition("#")[0]
        member = Member(agency=agency, title=text(agency), keys=tuple(self.signers.public(kid) for kid in kids))
        (path / "public.json").write_text(member.model_dump_json())
        (path / "saphan.toml").write_text(f'agency = "{agency}"\ngateway = "http://127.0.0.1:9"\n')
        return path

    def begin(self, name: str = "ceremony", code: int = 0, changes: dict[str, str] | None = None) -> Result:
        pairs = [("--officer", f"officer-{agency}") for agency in OFFICERS]
        pairs += [("--member", home) for home in ("gateway", "oja", "ccib")]
        files = [word for option, home in pairs for word in (option, f"{self.folder}/{home}/public.json")]
        options = {"--gateway": "http://127.0.0.1:9", "--operator": "oja", "--threshold": "2"} | (changes or {})
        flat = [word for pair in options.items() for word in pair]
        return self.run("init", self.folder / name, *flat, *files, code=code)

    def sign(self, *agencies: str, name: str = "ceremony") -> list[dict[str, object]]:
        parts: list[dict[str, object]] = []
        for agency in agencies:
            done = self.run("sign", self.folder / name, "--home", self.folder / f"officer-{agency}")
            parts = json.loads(done.stdout)
        return parts

    @property
    def copy(self) -> RegistryCopy:
        return RegistryCopy(self.folder / "ceremony")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    for agency in OFFICERS:
        made.home(f"officer-{agency}", f"{agency}#root-1")
    made.home("gateway", "oja#gateway-1", "oja#token-1", "oja#log-1", "oja#registry-1")
    made.home("oja", "oja#client-1", "oja#registrar-1")
    made.home("ccib", "ccib#connector-1", "ccib#registrar-1")
    return made


def test_a_folder_is_complete_when_enough_officers_have_signed(desk: Desk) -> None:
    desk.begin()
    (root, targets) = desk.sign("ccib")
    assert (root["complete"], root["signed"], root["missing"]) == (False, ["ccib#root-1"], ["dop#root-1", "rtp#root-1"])
    (root, targets) = desk.sign("rtp")
    assert root["complete"]
    assert targets["complete"]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_people_see_each_digest_whole_on_a_line_of_its_own(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    desk.begin()
    (root, targets) = desk.sign("ccib", "rtp")
    monkeypatch.setattr("saphan.output.is_for_programs", lambda **_: False)
    monkeypatch.setattr("saphan.output.Console", lambda **kinds: Console(width=width, **kinds))
    shown = desk.run("status", desk.folder / "ceremony").output.splitlines()
    assert [line.split() for line in shown[-2:]] == [[root["digest"], "root", "1"], [targets["digest"], "targets", "1"]]

    place = desk.folder / "ceremony" / "metadata" / "1.root.json"
    pinned = desk.run("pin", place, "--digest", str(root["digest"]), "--home", desk.folder / "ccib").output
    assert pinned.splitlines()[-1].split() == [root["digest"], "root", "1"]


def test_officers_may_sign_copies_at_the_same_time(desk: Desk) -> None:
    desk.begin()
    shutil.copytree(desk.folder / "ceremony", desk.folder / "other")
    desk.sign("ccib")
    desk.sign("dop", name="other")
    joined = json.loads(desk.run("join", desk.folder / "ceremony", desk.folder / "other").stdout)
    assert all(part["complete"] and part["signed"] == ["ccib#root-1", "dop#root-1"] for part in joined)


def test_copies_of_two_texts_are_not_joined(desk: Desk) -> None:
    desk.begin()
    desk.begin("other", changes={"--gateway": "http://127.0.0.1:10"})
    assert "registry-forged" in desk.run("join", desk.folder / "ceremony", desk.folder / "other", code=5).output


@pytest.mark.parametrize(
    "words",
    [
        ("sign", "ceremony", "--home", "ccib"),
        ("status", "nowhere"),
        ("rotate-root", "ceremony", "--remove", "oag#root-1"),
        ("rotate-root", "ceremony"),
        ("add-member", "ceremony", "--member", "officer-dop/public.json"),
        ("add-member", "ceremony", "--member", "nothing.json"),
        ("remove-member", "ceremony", "oja"),
        ("remove-member", "ceremony", "dop"),
        ("officer", "--agency", "ccib", "--home", "officer-ccib"),
        ("export", "copy", "--home", "ccib"),
        ("pin", "nothing.json", "--digest", "x", "--home", "ccib"),
        ("publish", "--home", "ccib"),
    ],
)
def test_what_does_not_fit_is_told_and_nothing_is_written(
    desk: Desk, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.begin()
    before = {path: path.read_bytes() for path in (desk.folder / "ceremony").rglob("*.json")}
    monkeypatch.chdir(desk.folder)
    done = desk.run(*words, code=2)
    assert "Traceback" not in done.output
    assert {path: path.read_bytes() for path in (desk.folder / "ceremony").rglob("*.json")} == before


def test_a_federation_is_founded_once_in_a_folder_and_by_two_agencies_at_least(desk: Desk) -> None:
    desk.begin()
    assert "ceremony-file" in desk.begin(code=2).output
    desk.begin("again", code=2, changes={"--threshold": "1"})
    assert "unknown-agency" in desk.begin("again", code=2, changes={"--operator": "dop"}).output
    assert "threshold" in desk.begin("again", code=5, changes={"--threshold": "4"}).output


def test_a_draft_is_drafted_anew_under_its_own_number_and_loses_its_signatures(desk: Desk) -> None:
    desk.begin()
    desk.sign("ccib", "rtp")
    desk.home("rtp", "rtp#connector-1", "rtp#registrar-1")
    desk.run("add-member", desk.folder / "ceremony", "--member", desk.folder / "rtp/public.json")
    desk.sign("dop")
    desk.home("oag", "oag#connector-1", "oag#registrar-1")
    parts = json.loads(
        desk.run("add-member", desk.folder / "ceremony", "--member", desk.folder / "oag/public.json").stdout
    )
    assert [(part["role"], part["version"], part["signed"]) for part in parts][1] == (TARGETS, 2, [])
    assert desk.copy.charter().agencies == ("oja", "ccib", "rtp", "oag")
    desk.run("remove-member", desk.folder / "ceremony", "ccib")
    assert desk.copy.charter().agencies == ("oja", "rtp", "oag")


def test_a_root_that_is_drafted_twice_follows_the_one_that_is_signed(desk: Desk) -> None:
    desk.begin()
    desk.sign("ccib", "rtp")
    desk.home("officer-oag", "oag#root-1")
    added = ("--add", desk.folder / "officer-oag/public.json")
    desk.run("rotate-root", desk.folder / "ceremony", "--remove", "dop#root-1", *added)
    desk.run("rotate-root", desk.folder / "ceremony", "--threshold", "3", *added)
    assert version_of(desk.copy.need(ROOT)) == 2
    (root, targets) = desk.sign("ccib", "rtp")
    # Two of before would do, of the new root three must sign.
    assert (root["threshold"], root["complete"], targets["version"], targets["complete"]) == (3, False, 2, False)
    (root, targets) = desk.sign("oag")
    assert root["complete"]
    assert targets["complete"]


def test_a_registrar_signs_offline_and_keeps_what_was_registered(desk: Desk) -> None:
    desk.begin()
    desk.sign("ccib", "rtp")
    ceremony = desk.folder / "ceremony"
    part = json.loads(desk.run("register", ceremony, "--home", desk.folder / "ccib").stdout)
    assert (part["role"], part["version"], part["complete"]) == ("ccib", 1, True)
    other = desk.home("ccib-2", "ccib#officer-1", "ccib#registrar-1")
    desk.run("register", ceremony, "--home", other)
    member = desk.copy.member("ccib")
    assert member is not None
    assert [key.kid for key in member.keys] == ["ccib#connector-1", "ccib#officer-1"]
    words = ("register", ceremony, "--home", desk.folder / "ccib", "--member", desk.folder / "oja/public.json")
    assert "ceremony-file" in desk.run(*words, code=2).output


def founded(desk: Desk) -> tuple[Path, bytes]:
    """A complete folder and its root."""
    desk.begin()
    desk.sign("ccib", "rtp")
    ceremony = desk.folder / "ceremony"
    desk.run("register", ceremony, "--home", desk.folder / "oja", "--member", desk.folder / "gateway/public.json")
    desk.run("register", ceremony, "--home", desk.folder / "ccib")
    return ceremony, desk.copy.need(ROOT)


def test_a_copy_that_was_exported_is_verified_from_the_root_alone(desk: Desk) -> None:
    ceremony, root = founded(desk)
    home = desk.folder / "gateway"
    (home / "root.json").write_bytes(root)
    write_migrated(home / "gateway.db")
    (home / "saphan.toml").unlink()
    taken = CliRunner().invoke(
        command_line(["gateway"]), ["gateway", "registry", str(ceremony), "--home", str(home), "--json"]
    )
    assert json.loads(taken.stdout) == {"roles": ["root", "targets", "ccib", "oja"]}
    store = Store(f"sqlite:///{home / 'gateway.db'}")
    repository = repository_of(GatewayHome(home), store)
    member = desk.folder / "ccib"
    (member / "root.json").write_bytes(root)
    federation = read(member, repository.get, now()).federation
    store.close()

    copy = desk.folder / "copy"
    shutil.copytree(ceremony, copy)
    take_along(member, RegistryCopy(copy))
    assert read_copy(copy, root, now()).federation == federation
    words = ["agreement", "verify", "x.json", "--registry", str(copy)]
    done = CliRunner().invoke(command_line(words), words)
    assert (done.exit_code, "registry-copy-half" in done.output) == (2, True)


def test_a_fixed_list_is_not_written_into_a_home_that_pins_a_root(desk: Desk) -> None:
    (desk.folder / "ccib/root.json").write_text("{}")
    words = ("--gateway", "http://127.0.0.1:9", "--operator", "oja", "--member", desk.folder / "oja/public.json")
    done = desk.run("assemble", *words, "--output", desk.folder / "ccib/federation.json", code=2)
    assert "root-pinned" in done.output
    assert not (desk.folder / "ccib/federation.json").exists()
    desk.run("assemble", *words, "--output", desk.folder / "oja/federation.json")
    assert KeyPurpose.CLIENT.value in (desk.folder / "oja/federation.json").read_text()
