"""``saphan keys`` on a home in a temporary folder."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose, Member
from keys.folder import KeyFolder
from saphan import keys_commands
from tests.factories import text

pytestmark = pytest.mark.integration

HOUR = timedelta(hours=1)


class Home:
    """An empty home of OJA and its commands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        KeyFolder.write(
            path / "public.json", Member(agency="oja", title=text("OJA"), keys=()).model_dump_json().encode()
        )

    def run(self, *arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(keys_commands.app, [*arguments, "--home", str(self.path), "--json"], input=typed)

    def asked(self, *arguments: str) -> Any:  # noqa: ANN401  # JSON
        answer = self.run(*arguments)
        assert answer.exit_code == 0, answer.stderr
        return json.loads(answer.stdout)

    @property
    def member(self) -> Member:
        return Member.model_validate_json((self.path / "public.json").read_bytes())

    def register(self) -> None:
        federation = Federation(gateway="https://gateway.example", operator="oja", members=(self.member,))
        KeyFolder.write(self.path / "federation.json", federation.model_dump_json().encode())

    def signs_now(self, after: timedelta = timedelta()) -> str:
        federation = Federation.model_validate_json((self.path / "federation.json").read_bytes())
        return KeyFolder(self.path).newest(federation, "oja", KeyPurpose.CLIENT, datetime.now(UTC) + after).kid


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def states(home: Home) -> dict[str, str]:
    return {each["kid"]: each["state"] for each in home.asked("list")}


def test_a_new_key_is_sealed_stated_and_listed_until_it_is_registered(home: Home) -> None:
    made = home.asked("new", "client")

    assert (made["kid"], made["place"], made["state"]) == ("oja#client-1", "sealed file", "unregistered")
    assert len(made["thumbprint"]) == 43
    home.register()
    assert states(home) == {"oja#client-1": "active"}
    assert home.signs_now() == "oja#client-1"


def test_a_successor_is_announced_takes_over_and_the_predecessor_ends_after_the_overlap(home: Home) -> None:
    home.asked("new", "client")
    home.asked("rotate", "client", "--announced-hours", "2", "--overlap-hours", "24")
    home.register()

    assert states(home) == {"oja#client-1": "active", "oja#client-2": "next"}
    assert [home.signs_now(after) for after in (timedelta(), HOUR, 3 * HOUR)] == [
        "oja#client-1",
        "oja#client-1",
        "oja#client-2",
    ]
    first, second = home.member.keys
    assert first.valid_until - second.valid_from == 24 * HOUR
    assert timedelta(hours=1.9) < second.valid_from - datetime.now(UTC) <= 2 * HOUR


@pytest.mark.parametrize(
    ("purpose", "days"), [("connector", 2), ("token", 2), ("client", 8), ("gateway", 8), ("officer", 730), ("dpo", 730)]
)
def test_a_predecessor_stays_valid_as_long_as_what_it_signed_is_looked_at(home: Home, purpose: str, days: int) -> None:
    home.asked("new", purpose)
    home.asked("rotate", purpose)

    first, second = home.member.keys
    lasted = first.valid_until - (first.valid_from if days == 730 else second.valid_from)
    assert lasted == timedelta(days=days)


def test_a_rotation_touches_keys_of_its_own_purpose_alone(home: Home) -> None:
    home.asked("new", "officer")
    home.asked("new", "client")
    officer = home.member.keys[0]

    home.asked("rotate", "client")

    assert home.member.keys[0] == officer


def test_a_revoked_key_signs_nothing_any_more_and_its_number_is_never_used_again(home: Home) -> None:
    home.asked("new", "client")
    home.register()

    assert home.asked("revoke", "oja#client-1")["state"] == "revoked"

    home.register()
    with pytest.raises(InvalidInput, match="key-not-held"):
        home.signs_now()
    assert home.asked("new", "client")["kid"] == "oja#client-2"


def test_a_rotation_leaves_a_revoked_key_as_it_was_revoked(home: Home) -> None:
    home.asked("new", "client")
    home.asked("revoke", "oja#client-1")
    (revoked,) = home.member.keys

    home.asked("rotate", "client")

    assert home.member.keys[0] == revoked


@pytest.mark.parametrize(
    ("purpose", "advice"),
    [
        ("client", "saphan federation publish --home HOME"),
        ("registrar", "saphan federation add-member FOLDER --member HOME/public.json"),
        ("registry", "saphan federation rotate-root FOLDER --registry HOME/public.json"),
        ("root", "saphan federation rotate-root FOLDER --add HOME/public.json --remove KEY"),
    ],
)
def test_what_is_to_be_done_with_a_key_next_is_told_by_who_must_sign_it(home: Home, purpose: str, advice: str) -> None:
    acts = (("new", purpose), ("rotate", purpose), ("revoke", f"oja#{purpose}-1"))
    told = [home.run(*act).stderr for act in acts]
    assert all(advice in each for each in told)
    assert all(("publish" in each) is (purpose == "client") for each in told)


def test_what_the_home_lost_stays_stated_and_what_nobody_stated_is_listed(home: Home) -> None:
    home.asked("new", "client")
    home.asked("new", "officer")
    (home.path / "keys" / "oja~client-1.key").unlink()
    lone = home.member.model_copy(update={"keys": home.member.keys[:1]})
    KeyFolder.write(home.path / "public.json", lone.model_dump_json().encode())

    listed = {each["kid"]: (each["place"], each["state"]) for each in home.asked("list")}

    assert listed == {
        "oja#client-1": ("elsewhere", "unregistered"),
        "oja#officer-1": ("sealed file", "unregistered"),
    }
    assert home.asked("new", "officer")["kid"] == "oja#officer-2"


def test_keys_are_sealed_under_a_passphrase_that_is_asked_for_twice(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.asked("new", "client")
    typed = iter(["correct horse", "correct house", "correct horse", "correct horse"])
    monkeypatch.setattr("saphan.client_settings.getpass", lambda _: next(typed))

    assert home.run("seal", "--passphrase").exit_code == 2
    KeyFolder(home.path).key("oja#client-1")
    assert home.run("seal", "--passphrase").exit_code == 0
    with pytest.raises(InvalidInput, match="key-not-opened"):
        KeyFolder(home.path).key("oja#client-1")


@pytest.mark.parametrize(
    "arguments", [("revoke", "oja#client-9"), ("new", "nonsense"), ("rotate", "client", "--days", "0")]
)
def test_what_makes_no_sense_is_told(home: Home, arguments: tuple[str, ...]) -> None:
    assert home.run(*arguments).exit_code == 2


def test_a_folder_that_is_no_home_is_told(tmp_path: Path) -> None:
    answer = CliRunner().invoke(keys_commands.app, ["list", "--home", str(tmp_path)])
    assert (answer.exit_code, "home-not-made (1554)" in answer.stderr) == (2, True)
    assert "saphan connector init" in answer.stderr


def test_another_key_under_a_registered_name_is_not_registered(home: Home) -> None:
    home.asked("new", "client")
    home.register()
    (home.path / "keys" / "oja~client-1.key").unlink()
    KeyFolder.write(home.path / "public.json", home.member.model_copy(update={"keys": ()}).model_dump_json().encode())
    home.asked("new", "client")

    assert states(home) == {"oja#client-1": "unregistered"}


def test_people_see_a_table(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saphan.output.is_for_programs", lambda **_: False)
    monkeypatch.setattr("saphan.output.Console", lambda **kinds: Console(width=400, **kinds))
    home.run("new", "client")
    shown = home.run("list").stdout
    assert "oja#client-1" in shown
    assert "unregistered" in shown


def test_a_key_that_is_not_stated_is_not_revoked_and_the_list_is_named(home: Home) -> None:
    words = ["revoke", "oja#client-99", "--home", str(home.path)]
    answer = CliRunner().invoke(keys_commands.app, words)
    assert (answer.exit_code, "key-not-stated (1558)" in answer.stderr) == (2, True)
    assert "saphan keys list" in answer.stderr
