"""The centre's home: its keys, its pinned federation, its settings, and what it has asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from contracts.canonical import canonical_bytes
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose, Member
from contracts.request import Request
from contracts.signing import SigningKey, key_file_name, load_key, new_key
from contracts.values import Value
from gateway.home import GatewayHome

KEYS: Final = ((KeyPurpose.CLIENT, 1), (KeyPurpose.OFFICER, 1), (KeyPurpose.OFFICER, 2))
"""The centre asks with its client key; its first officer drafts agreements, its second signs them."""

KEYS_LAST: Final = timedelta(days=730)


class Asked(Value):
    """The newest request of each standing activity, kept so that a restart asks nothing twice."""

    requests: dict[str, Request] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the centre says when it is set up: for whom and where it asks, and under which agreement."""

    agency: str
    title: Text
    gateway: str
    agreement: str


@dataclass(frozen=True, slots=True)
class CentreHome:
    """Where everything of the centre lies. Nobody but its user may look inside."""

    path: Path

    @property
    def folder(self) -> GatewayHome:
        """The same folder, for writing files that are private and whole."""
        return GatewayHome(self.path)

    @property
    def _asked(self) -> Path:
        return self.path / "asked.json"

    def enrol(self, enrolment: Enrolment, now: datetime) -> Member:
        """Make the home with fresh keys and settings; never over an existing one.

        Returns:
            The centre's public keys, as they also lie in ``public.json`` for the federation.

        Raises:
            InvalidInput: ``setting-invalid`` for a home that holds keys.
        """
        if self._key_file(_kid(KeyPurpose.CLIENT, enrolment.agency)).exists():
            raise InvalidInput("setting-invalid", setting="home", why="it holds keys already")
        self.folder.make()
        keys = []
        for purpose, number in KEYS:
            key = new_key(_kid(purpose, enrolment.agency, number))
            self.folder.write(self._key_file(key.kid), key.to_pem())
            keys.append(key.public_key(purpose, now, now + KEYS_LAST))
        settings = {"agency": enrolment.agency, "gateway": enrolment.gateway, "agreement": enrolment.agreement}
        # A JSON string is a TOML basic string.
        lines = [f"{name} = {canonical_bytes(value).decode()}\n" for name, value in settings.items()]
        self.folder.write(self.folder.settings, "".join(lines).encode())
        member = Member(agency=enrolment.agency, title=enrolment.title, keys=tuple(keys))
        self.folder.write(self.folder.public, member.model_dump_json(indent=2).encode())
        return member

    def key(self, agency: str, purpose: KeyPurpose = KeyPurpose.CLIENT, number: int = 1) -> SigningKey:
        """A private key of the centre.

        Raises:
            InvalidInput: ``setting-invalid`` when the home does not hold it.
        """
        kid = _kid(purpose, agency, number)
        path = self._key_file(kid)
        if not path.is_file():
            raise InvalidInput("setting-invalid", setting="keys", why=f"the home holds no key {kid}")
        return load_key(kid, path.read_bytes())

    def federation(self) -> Federation:
        """The pinned keys of all members.

        Raises:
            InvalidInput: ``setting-invalid``.
        """
        return self.folder.federation()

    def asked(self) -> Asked:
        """What was asked last; nothing when it is not known, for asking again is free of charge."""
        try:
            return Asked.model_validate_json(self._asked.read_bytes())
        except (OSError, ValidationError):
            return Asked()

    def remember(self, activity: str, request: Request | None) -> None:
        """Keep the newest request of an activity, or forget it, before anything is sent."""
        others = {name: kept for name, kept in self.asked().requests.items() if name != activity}
        requests = others if request is None else {**others, activity: request}
        self.folder.write(self._asked, Asked(requests=requests).model_dump_json(by_alias=True).encode())

    def _key_file(self, kid: str) -> Path:
        return self.path / "keys" / key_file_name(kid)


def _kid(purpose: KeyPurpose, agency: str, number: int = 1) -> str:
    return f"{agency}#{purpose.value}-{number}"
