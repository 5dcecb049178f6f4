"""The folder of a home's private keys, in a temporary folder."""

import stat
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose, Member
from contracts.keys import SigningKey, new_key
from keys.folder import KeyFolder
from keys.sealed import PASSPHRASE, RANDOM_SECRET, sealed_key
from tests.factories import NOW, text

pytestmark = pytest.mark.unit

UNTIL = NOW + timedelta(days=1)

OFFICER, CLIENT = KeyPurpose.OFFICER, KeyPurpose.CLIENT


def is_same(one: SigningKey, other: SigningKey) -> bool:
    return one.public_key(OFFICER, NOW, UNTIL) == other.public_key(OFFICER, NOW, UNTIL)


def registered(*keys: SigningKey, since: timedelta = timedelta()) -> Federation:
    stated = tuple(key.public_key(CLIENT, NOW - since + timedelta(hours=at), UNTIL) for at, key in enumerate(keys))
    member = Member(agency="oja", title=text("OJA"), keys=stated)
    return Federation(gateway="https://gateway.example", operator="oja", members=(member,))


def test_a_saved_key_comes_back_from_a_sealed_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder, key = KeyFolder(tmp_path), new_key("oja#officer-1")
    folder.save(key)

    path = tmp_path / "keys" / "oja~officer-1.key"
    sealed = sealed_key(path.read_bytes())
    assert is_same(folder.key("oja#officer-1"), key)
    assert sealed is not None
    assert sealed.cost == RANDOM_SECRET
    assert len(folder.unlock.read_bytes()) == 32
    for file in (path, folder.unlock):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (folder.place("oja#officer-1"), folder.place("oja#officer-2")) == ("sealed file", "elsewhere")


def test_the_keys_of_a_home_are_under_one_secret_and_one_salt(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    for number in (1, 2):
        folder.save(new_key(f"oja#officer-{number}"))

    files = [sealed_key(path.read_bytes()) for path in (tmp_path / "keys").iterdir()]
    assert len({each.salt for each in files if each is not None}) == 1
    assert folder.kids() == ("oja#officer-1", "oja#officer-2")


def test_a_copy_of_the_home_without_its_secret_opens_nothing(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    folder.save(new_key("oja#officer-1"))
    folder.unlock.unlink()

    with pytest.raises(InvalidInput, match="key-not-opened"):
        folder.key("oja#officer-1")
    with pytest.raises(InvalidInput, match="key-not-opened"):
        folder.save(new_key("oja#officer-2"))


def test_the_secret_may_be_a_link_to_where_secrets_are_mounted(tmp_path: Path) -> None:
    home, mount = tmp_path / "home", tmp_path / "mounted"
    folder = KeyFolder(home)
    folder.save(new_key("oja#officer-1"))
    folder.unlock.rename(mount)
    folder.unlock.symlink_to(mount)

    folder.seal_again(None)

    assert folder.unlock.is_symlink()
    assert is_same(folder.key("oja#officer-1"), folder.key("oja#officer-1"))


def test_no_key_is_sealed_under_another_secret_than_its_neighbours(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    folder.save(new_key("oja#officer-1"))
    folder.unlock.write_bytes(b"another secret")

    with pytest.raises(InvalidInput, match="key-not-opened"):
        folder.save(new_key("oja#officer-2"))
    assert folder.kids() == ("oja#officer-1",)


def test_under_a_passphrase_a_person_is_asked(tmp_path: Path) -> None:
    folder, key = KeyFolder(tmp_path), new_key("oja#officer-1")
    folder.save(key)

    assert folder.seal_again(b"correct horse") == ("oja#officer-1",)

    assert not folder.unlock.exists()
    assert is_same(KeyFolder(tmp_path, lambda: b"correct horse").key("oja#officer-1"), key)
    for ask in (lambda: b"wrong", None):
        with pytest.raises(InvalidInput, match="key-not-opened"):
            KeyFolder(tmp_path, ask).key("oja#officer-1")
    sealed = sealed_key((tmp_path / "keys" / "oja~officer-1.key").read_bytes())
    assert sealed is not None
    assert sealed.cost == PASSPHRASE


def test_what_is_sealed_again_is_no_longer_under_the_old_secret(tmp_path: Path) -> None:
    folder, key = KeyFolder(tmp_path), new_key("oja#officer-1")
    folder.save(key)
    before = folder.unlock.read_bytes()

    folder.seal_again(None)

    assert folder.unlock.read_bytes() != before
    assert is_same(folder.key("oja#officer-1"), key)


def test_the_newest_registered_key_that_lies_here_signs(tmp_path: Path) -> None:
    folder, keys = KeyFolder(tmp_path), [new_key(f"oja#client-{number}") for number in (1, 2, 3)]
    for key in keys[:2]:
        folder.save(key)
    federation = registered(*keys, since=timedelta(hours=10))

    assert folder.newest(federation, "oja", CLIENT, NOW).kid == "oja#client-2"
    # Before its time a successor does not sign.
    assert folder.newest(federation, "oja", CLIENT, NOW - timedelta(hours=9, minutes=30)).kid == "oja#client-1"


def test_a_key_that_is_not_the_registered_one_signs_nothing(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    folder.save(new_key("oja#client-1"))

    for federation, code in ((registered(new_key("oja#client-1")), "setting-invalid"), (registered(), "key-not-held")):
        with pytest.raises(InvalidInput, match=code):
            folder.newest(federation, "oja", CLIENT, NOW + timedelta(hours=1))


def test_numbers_are_compared_as_numbers(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    for number in (2, 10):
        folder.save(new_key(f"oja#client-{number}"))

    assert folder.latest("oja", CLIENT).kid == "oja#client-10"
    with pytest.raises(InvalidInput, match="key-not-held"):
        folder.latest("oja", OFFICER)


def test_a_name_that_is_none_finds_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="setting-invalid"):
        KeyFolder(tmp_path).key("../../etc/passwd")


@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_a_sealing_that_is_broken_off_anywhere_loses_no_key_and_can_be_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passphrase: bytes | None
) -> None:
    keys = [new_key(f"oja#officer-{number}") for number in (1, 2)]
    for fails_at in range(4):
        home = tmp_path / str(fails_at)
        for key in keys:
            KeyFolder(home).save(key)
        _break_write(monkeypatch, fails_at)
        with suppress(OSError):
            KeyFolder(home).seal_again(passphrase)
        monkeypatch.undo()

        folder = KeyFolder(home, None if passphrase is None else lambda: b"correct horse")
        assert all(is_same(folder.key(key.kid), key) for key in keys), fails_at
        assert len(folder.seal_again(passphrase)) == len(keys)
        assert all(is_same(folder.key(key.kid), key) for key in keys), fails_at
        assert folder.unlock.exists() is (passphrase is None)
        assert not list(home.glob("secrets/*.next"))


def _break_write(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the disk be full at the so-manieth write."""
    written, write = count(), KeyFolder.write

    def failing(path: Path, data: bytes) -> None:
        if next(written) == number:
            raise OSError("the disk is full")
        write(path, data)

    monkeypatch.setattr(KeyFolder, "write", staticmethod(failing))


def test_a_short_secret_of_the_operators_own_costs_like_a_passphrase(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    KeyFolder.write(folder.unlock, b"1234")
    folder.save(new_key("oja#officer-1"))
    sealed = sealed_key((tmp_path / "keys" / "oja~officer-1.key").read_bytes())
    assert sealed is not None
    assert sealed.cost == PASSPHRASE
