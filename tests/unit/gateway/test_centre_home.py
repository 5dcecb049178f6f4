"""The centre's home and settings."""

import stat
from pathlib import Path

import pytest

from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose, Member
from gateway.centre.home import Asked, CentreHome, Enrolment, Revision, Span
from gateway.centre.settings import load_settings
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.unit

ENROLMENT = Enrolment("oja", Text(th="สกธ.", en="OJA"), "http://127.0.0.1:8000", 'AGR-"quoted"'.replace('"', "-"))


@pytest.fixture
def home(tmp_path: Path) -> CentreHome:
    made = CentreHome(tmp_path / "centre")
    made.enrol(ENROLMENT, NOW)
    return made


def test_enrolling_makes_private_keys_and_public_statements(home: CentreHome) -> None:
    member = Member.model_validate_json((home.path / "public.json").read_bytes())

    assert [key.kid for key in member.keys] == ["oja#client-1", "oja#officer-1", "oja#officer-2", "oja#registrar-1"]
    purposes = [KeyPurpose.CLIENT, KeyPurpose.OFFICER, KeyPurpose.OFFICER, KeyPurpose.REGISTRAR]
    assert [key.purpose for key in member.keys] == purposes
    client = home.key("oja")
    assert client.public_key(KeyPurpose.CLIENT, member.keys[0].valid_from, member.keys[0].valid_until) == member.keys[0]
    assert home.key("oja", KeyPurpose.OFFICER).kid == "oja#officer-1"
    assert home.key("oja", KeyPurpose.OFFICER, 2).kid == "oja#officer-2"


def test_nobody_else_may_look_into_the_home(home: CentreHome) -> None:
    home.sending(span("crimes-monthly"), factories.request())

    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    files = [path for path in home.path.rglob("*") if path.is_file()]
    assert {"oja~client-1.key", "crimes-monthly~0~2025-10~2025-12.json", "saphan.toml"} <= {each.name for each in files}
    assert stat.S_IMODE((home.path / "out").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_enrolling_never_overwrites_keys(home: CentreHome) -> None:
    before = (home.path / "keys" / "oja~client-1.key").read_bytes()

    with pytest.raises(InvalidInput) as error:
        home.enrol(ENROLMENT, NOW)

    assert error.value.code == "folder-in-use"
    assert (home.path / "keys" / "oja~client-1.key").read_bytes() == before


def test_a_missing_key_is_named(home: CentreHome) -> None:
    with pytest.raises(InvalidInput) as error:
        home.key("rtp")

    assert error.value.code == "key-not-held"
    assert "rtp#client-1" in error.value.reasons[0].message_en


def test_the_federation_must_be_pinned(home: CentreHome) -> None:
    with pytest.raises(InvalidInput):
        home.federation()
    keys = factories.federation()
    home.folder.pin(keys.federation)

    assert home.federation() == keys.federation


def span(activity: str, **changes: object) -> Span:
    """The last quarter of 2025."""
    return Span.model_validate({"activity": activity, "revision": 0, "period": factories.period(), **changes})


def test_requests_are_remembered_by_their_months_until_they_have_ended(home: CentreHome) -> None:
    first, second = factories.request(id="REQ-0001"), factories.request(id="REQ-0002")
    home.sending(span("crimes-monthly"), factories.request(id="REQ-0000"))
    home.sending(span("crimes-monthly"), first)
    home.sending(span("crimes-monthly", revision=1), second)

    assert [each.request for each in home.asked().out] == [first, second]
    assert home.out(span("crimes-monthly", revision=1)) == second
    home.settled(span("crimes-monthly", revision=1))
    assert [each.request for each in home.asked().out] == [first]
    assert home.asked().lost == ()


def test_lost_months_and_declared_revisions_stay(home: CentreHome) -> None:
    revision = Revision(span=span("crimes-monthly", revision=1), reason="reported late", declared=NOW)
    home.sending(span("dop-monthly"), factories.request())
    home.declare(revision)
    home.settled(span("dop-monthly"), lost=True)
    home.settled(span("dop-monthly"), lost=True)

    assert home.asked() == Asked(lost=(span("dop-monthly"),), revisions=(revision,))


def test_a_damaged_memory_is_an_empty_one(home: CentreHome) -> None:
    assert home.asked() == Asked()
    (home.path / "asked.json").write_text("{")

    assert home.asked() == Asked()


def test_settings_come_from_the_homes_file_and_the_command_line_wins(home: CentreHome) -> None:
    settings = load_settings(home.path)

    assert (settings.agency, settings.gateway, settings.agreement) == ("oja", ENROLMENT.gateway, ENROLMENT.agreement)
    assert (settings.horizon, settings.level) == (12, 90)
    assert load_settings(home.path, horizon=6, level=None).horizon == 6


def test_the_environment_stands_above_the_file_and_secret_files_above_it(
    home: CentreHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAPHAN_LEVEL", "80")
    assert load_settings(home.path).level == 80

    (home.path / "secrets").mkdir(exist_ok=True)
    (home.path / "secrets" / "saphan_level").write_text("95")
    assert load_settings(home.path).level == 95


@pytest.mark.parametrize(
    ("text", "setting"),
    [('agency = "oja"\ngateway = "ftp://x"\nagreement = "AGR-1"', "gateway"), ("not toml", "saphan.toml")],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(tmp_path: Path, text: str, setting: str) -> None:
    (tmp_path / "saphan.toml").write_text(text)

    with pytest.raises(InvalidInput) as error:
        load_settings(tmp_path)

    assert error.value.details["setting"] == setting
    assert "ftp" not in str(error.value)


def test_a_home_without_settings_is_told_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as error:
        load_settings(tmp_path)

    assert [each.code for each in error.value.reasons] == ["home-without-settings"]
    assert "SAPHAN_HOME" in error.value.reasons[0].advice_th
    assert str(tmp_path) not in str(error.value.problem())
