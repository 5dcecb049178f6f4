"""The trust registry of the demonstration: three officers of three agencies, of whom two sign, and each agency's keys.

Every step is one of a command's: ``saphan federation officer | init | sign | register | pin``, ``gateway registry``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from contracts.federation import KeyPurpose
from contracts.keys import SigningKey
from gateway.registry.keeper import repository_of
from gateway.settings import load_settings
from gateway.store.engine import Store
from keys.folder import KeyFolder
from saphan.federation_files import Founders, found, make_officer, pin_root, pinned, read_member
from trust import ceremony
from trust.copies import RegistryCopy
from trust.roles import ROOT

OFFICERS_NEEDED: Final = 2
OFFICERS_KEYS_LAST: Final = timedelta(days=1095)


@dataclass(frozen=True, slots=True)
class Founding:
    """The homes of a federation that is founded.

    Args:
        folder: The demonstration's.
        gateway: The gateway's home.
        operator: The member that runs it, and its home with its registrar's key.
        agencies: The other members' homes.
        clock: The present, aware UTC.
    """

    folder: Path
    gateway: Path
    operator: tuple[str, Path]
    agencies: Mapping[str, Path]
    clock: Callable[[], datetime]

    def found(self, issuer: str) -> None:
        """Have the officers sign who belongs to it, each agency sign its keys, and every home pin the root."""
        copy, now = RegistryCopy(self.folder / "registry"), self.clock()
        officers = {name: self.folder / "officers" / name for name in self.agencies}
        for name, home in officers.items():
            make_officer(home, name, now, OFFICERS_KEYS_LAST)
        name, own = self.operator
        stated = {name: (own, self.gateway), **{agency: (home,) for agency, home in self.agencies.items()}}
        founders = Founders(
            gateway=issuer,
            operator=name,
            officers=tuple(home / "public.json" for home in officers.values()),
            threshold=OFFICERS_NEEDED,
        )
        found(copy, founders, [home / "public.json" for homes in stated.values() for home in homes], now)
        for home in list(officers.values())[:OFFICERS_NEEDED]:
            ceremony.sign_all(copy, _keys_in(home))
        for agency, homes in stated.items():
            key = KeyFolder(homes[0]).latest(agency, KeyPurpose.REGISTRAR)
            ceremony.register(copy, [read_member(home / "public.json") for home in homes], key, now)
        self._pin(copy)
        self._take_in(copy, now)

    def _pin(self, copy: RegistryCopy) -> None:
        """What a person does in each home, after comparing the digest over another channel."""
        root = self.folder / "registry" / "metadata" / "1.root.json"
        digest = pinned(copy.need(ROOT)).digest
        for home in (self.gateway, self.operator[1], *self.agencies.values()):
            pin_root(home, root, digest)

    def _take_in(self, copy: RegistryCopy, now: datetime) -> None:
        settings = load_settings(self.gateway)
        store = Store(settings.database)
        try:
            repository_of(settings.folder, store).take(copy.batch(), now)
        finally:
            store.close()


def _keys_in(home: Path) -> Callable[[str], SigningKey | None]:
    keys = KeyFolder(home)
    return lambda kid: keys.key(kid) if keys.holds(kid) else None
