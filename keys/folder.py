"""The folder of a home that holds private keys: sealed ones, and references to keys in a hardware module.

What opens them is a secret in the home's ``secrets/key-unlock``: 256 random bits, made with the first key. An operator
moves that file to where secrets are mounted and leaves a link, so that a copy of the home opens nothing; a person may
have a passphrase instead, which is asked for.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose
from contracts.keys import SigningKey, SoftwareKey, checked_kid, key_file_name, load_key
from keys.reference import HardwareReference, hardware_reference
from keys.sealed import PASSPHRASE, RANDOM_SECRET, SALT_BYTES, SealedKey, Sealer, sealed_key, unseal

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
SECRET_BYTES: Final = 32

Ask = Callable[[], bytes]
"""Asks a person for the passphrase of the home's keys."""


@dataclass(frozen=True)
class KeyFolder:
    """The private keys of one home. Nobody but its user may look inside.

    Args:
        home: The home's folder.
        ask: Asks for a passphrase where the home has no file that opens its keys; without it such keys stay shut.
    """

    home: Path
    ask: Ask | None = None

    @property
    def folder(self) -> Path:
        """Where the keys lie."""
        return self.home / "keys"

    @property
    def unlock(self) -> Path:
        """The secret that opens them."""
        return self.home / "secrets" / "key-unlock"

    def kids(self) -> tuple[str, ...]:
        """The names of the keys that lie here, in order."""
        return tuple(sorted(file.stem.replace("~", "#") for file in self.folder.glob("*~*.key")))

    def holds(self, kid: str) -> bool:
        """Whether a key of that name lies here."""
        return self._file(kid).is_file()

    def key(self, kid: str) -> SigningKey:
        """A private key.

        Raises:
            InvalidInput: ``key-not-held`` when the home does not hold it, ``key-not-opened``.
        """
        if not self.holds(kid):
            raise InvalidInput("key-not-held", kid=kid)
        data = self._file(kid).read_bytes()
        reference = hardware_reference(data)
        if reference is not None:
            held: SigningKey = _hardware().HardwareKey(reference, self._pin(kid))
            return held
        return self._software(kid, data)

    def of(self, agency: str, purpose: KeyPurpose) -> tuple[str, ...]:
        """The names of a member's keys of a purpose that lie here, the highest number last."""
        start = f"{agency}#{purpose.value}-"
        return tuple(sorted((kid for kid in self.kids() if kid.startswith(start)), key=number_of))

    def latest(self, agency: str, purpose: KeyPurpose) -> SigningKey:
        """The key of the highest number, whether or not it is registered.

        Raises:
            InvalidInput: ``key-not-held`` when the home holds none, ``key-not-opened``.
        """
        return self.key((f"{agency}#{purpose.value}-1", *self.of(agency, purpose))[-1])

    def newest(self, federation: Federation, agency: str, purpose: KeyPurpose, at: datetime) -> SigningKey:
        """The newest key of a purpose that is registered, may sign at that instant and lies here.

        Raises:
            InvalidInput: ``key-not-held``, when there is none; ``setting-invalid``, when the one that
            lies here is not the registered one.
        """
        registered = sorted(federation.keys_of(agency, purpose, at), key=lambda each: each.valid_from, reverse=True)
        for each in registered:
            if self.holds(each.kid):
                key = self.key(each.kid)
                public = key.public_key(purpose, each.valid_from, each.valid_until)
                if (public.x, public.y) != (each.x, each.y):
                    raise InvalidInput("setting-invalid", setting="keys", why=f"{each.kid} is not the registered one")
                return key
        raise InvalidInput("key-not-held", kid=f"{agency}#{purpose.value}")

    def save(self, key: SoftwareKey) -> None:
        """Seal a key into the folder; one of that name is replaced.

        Raises:
            InvalidInput: ``key-not-opened``, when the home's keys are under a passphrase that cannot be asked for.
        """
        self.write(self._file(key.kid), self._sealer().seal(key))

    def make_in_hardware(self, reference: HardwareReference) -> SigningKey:
        """Make a key inside a hardware module, whose PIN lies in ``secrets/hardware-pin``, and note where it lies.

        Raises:
            InvalidInput: ``setting-invalid``, ``key-not-opened``.
            Unavailable: ``hardware-key-unavailable``.
        """
        key: SigningKey = _hardware().make_hardware_key(reference, self._pin(reference.kid))
        self.write(self._file(reference.kid), reference.model_dump_json(indent=2).encode())
        return key

    def place(self, kid: str) -> str:
        """Where a key lies: ``sealed file``, ``plain file``, ``hardware`` or ``elsewhere``."""
        if not self.holds(kid):
            return "elsewhere"
        data = self._file(kid).read_bytes()
        if hardware_reference(data) is not None:
            return "hardware"
        return "plain file" if sealed_key(data) is None else "sealed file"

    def seal_again(self, passphrase: bytes | None) -> tuple[str, ...]:
        """Put every software key under a passphrase, or under fresh random bits; give their names.

        With a passphrase the file that opened them is removed: from then on a person is asked. Whatever stops this half
        way leaves every key openable, and the next call completes it.

        Raises:
            InvalidInput: ``key-not-opened``; nothing is changed then.
        """
        held = tuple(self._software(kid, data) for kid, data in self._files() if hardware_reference(data) is None)
        if passphrase is None:
            if not self._coming.exists():
                self.write(self._coming, secrets.token_bytes(SECRET_BYTES))
            secret, cost = self._coming.read_bytes(), RANDOM_SECRET
        else:
            secret, cost = passphrase, PASSPHRASE
        sealer = Sealer(secret, cost, secrets.token_bytes(SALT_BYTES), secrets.token_bytes)
        for key in held:
            self.write(self._file(key.kid), sealer.seal(key))
        if passphrase is None:
            self.write(self.unlock, secret)
        else:
            self.unlock.unlink(missing_ok=True)
        self._coming.unlink(missing_ok=True)
        return tuple(key.kid for key in held)

    @property
    def _coming(self) -> Path:
        """The secret that is about to take over; until every key is under it, either may open a key."""
        return self.unlock.with_name("key-unlock.next")

    def _file(self, kid: str) -> Path:
        return self.folder / key_file_name(checked_kid(kid))

    def _files(self) -> Iterator[tuple[str, bytes]]:
        return ((kid, self._file(kid).read_bytes()) for kid in self.kids())

    def _software(self, kid: str, data: bytes) -> SoftwareKey:
        sealed = sealed_key(data)
        return load_key(kid, data) if sealed is None else self._opened(kid, sealed)[0]

    def _opened(self, kid: str, sealed: SealedKey) -> tuple[SoftwareKey, bytes]:
        """A sealed key, and the secret that opened it."""
        for secret in self._secrets():
            with suppress(InvalidInput):
                return unseal(kid, sealed, secret), secret
        raise InvalidInput("key-not-opened", kid=kid)

    def _secrets(self) -> Iterator[bytes]:
        """What may open a key of this home; a person is asked last."""
        yield from (path.read_bytes() for path in (self.unlock, self._coming) if path.exists())
        if self.ask is not None:
            yield self.ask()

    def _sealer(self) -> Sealer:
        for kid, data in self._files():
            before = sealed_key(data)
            if before is not None:
                # A key under another secret than its neighbours' could not be opened later.
                secret = self._opened(kid, before)[1]
                return Sealer(secret, before.cost, before.salt, secrets.token_bytes)
        if not self.unlock.exists():
            self.write(self.unlock, secrets.token_bytes(SECRET_BYTES))
        secret = self.unlock.read_bytes()
        cost = RANDOM_SECRET if len(secret) >= SECRET_BYTES else PASSPHRASE
        return Sealer(secret, cost, secrets.token_bytes(SALT_BYTES), secrets.token_bytes)

    def _pin(self, kid: str) -> str:
        """The PIN of the hardware module: a secret of its own, which opens no file."""
        path = self.unlock.with_name("hardware-pin")
        if path.exists():
            return path.read_text(encoding="utf-8").strip()
        if self.ask is None:
            raise InvalidInput("key-not-opened", kid=kid)
        return self.ask().decode()

    @staticmethod
    def write(path: Path, data: bytes) -> None:
        """Write a file that only its owner may read; it is whole or it is not there. A link stays a link."""
        target = path.resolve()
        target.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)


def number_of(kid: str) -> int:
    """The number at the end of a key's name."""
    return int(kid.rpartition("-")[2])


def _hardware() -> ModuleType:
    """The module of hardware keys, imported when a home has one: others need no PKCS#11."""
    try:
        return import_module("keys.hardware")
    except ImportError as error:
        raise InvalidInput("setting-invalid", setting="keys", why="install saphan[pkcs11] for hardware keys") from error
