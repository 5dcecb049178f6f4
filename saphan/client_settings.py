"""Who uses the command line: the member's home, its name and where the gateway is."""

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from getpass import getpass
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.identifiers import AgencyId
from contracts.keys import SigningKey
from contracts.transport import ADDRESS, ClientFiles
from keys.folder import KeyFolder
from transport.line import Line
from transport.lines import line_to
from trust.anchor import fetched, known, known_roles, pins_root

DEFAULT_HOME: Final = Path(".saphan")
CALLERS: Final = (KeyPurpose.CLIENT, KeyPurpose.CONNECTOR)
ACT: Final = (KeyPurpose.OFFICER, KeyPurpose.DPO)
"""Whose keys act on agreements."""

PEOPLE: Final = tuple(f"{each.value}-" for each in ACT)


class ClientSettings(BaseSettings):
    """The settings that a member's commands need; a connector's or a centre's ``saphan.toml`` has them too."""

    model_config = SettingsConfigDict(env_prefix="SAPHAN_", frozen=True, extra="ignore")

    home: Path = DEFAULT_HOME
    agency: AgencyId
    gateway: str = Field(pattern=ADDRESS)
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    quorum: int = Field(default=0, ge=0)
    """How many agencies must stand by the log's checkpoint of every release that is fetched."""

    @property
    def tls(self) -> ClientFiles:
        """The files for TLS; a relative path begins in the home."""
        return ClientFiles(self.tls_ca, self.tls_certificate, self.tls_key).within(self.home)

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of precedence; the home, which says where the file is, comes from the first two or is default."""
        home = Path({**env_settings(), **init_settings()}.get("home", DEFAULT_HOME))
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=home / "saphan.toml"))


@dataclass(frozen=True, slots=True)
class MemberHome:
    """A member's home as its commands use it: keys and the pinned federation, read only."""

    settings: ClientSettings
    _seen: list[Federation] = field(default_factory=list, compare=False)

    @property
    def keys(self) -> KeyFolder:
        """The member's private keys; a passphrase is asked for at the terminal."""
        return KeyFolder(self.settings.home, known_passphrase if sys.stdin.isatty() else None)

    def calling_key(self, now: datetime) -> SigningKey:
        """The newest registered key that signs calls: the client's, or the connector's where there is no client.

        Raises:
            InvalidInput: ``setting-invalid``.
        """
        held = [kid for purpose in CALLERS for kid in self.keys.of(self.settings.agency, purpose)]
        purpose = CALLERS[0] if any(f"#{CALLERS[0].value}-" in kid for kid in held) else CALLERS[1]
        return self.keys.newest(self.federation(), self.settings.agency, purpose, now)

    def people(self) -> tuple[SigningKey, ...]:
        """The keys of officers and data protection officers that the home holds."""
        kids = [kid.partition("#") for kid in self.keys.kids()]
        own = ["".join(kid) for kid in kids if kid[0] == self.settings.agency and kid[2].startswith(PEOPLE)]
        return tuple(self.keys.key(kid) for kid in own)

    def signers(self, now: datetime) -> tuple[tuple[KeyPurpose, SigningKey], ...]:
        """Those of them that are registered and may sign now, each with what it may sign.

        Raises:
            InvalidInput: ``setting-invalid``.
        """
        federation, held = self.federation(), {key.kid: key for key in self.people()}
        agency = self.settings.agency
        registered = [(who, key.kid) for who in ACT for key in federation.keys_of(agency, who, now)]
        return tuple((who, held[kid]) for who, kid in registered if kid in held)

    def federation(self) -> Federation:
        """The keys of all members: pinned, or from the trust registry where the home pins its root.

        Raises:
            InvalidInput: ``members-unknown``, ``root-pinned``.
            SaphanError: As ``trust.anchor.fetched``.
        """
        if not self._seen:
            self._seen.append(self._read())
        return self._seen[0]

    def _read(self) -> Federation:
        home = self.settings.home
        if pins_root(home):
            with self.line() as line:
                return fetched(home, line, _now())
        found = federation_of(home)
        if found is None:
            raise InvalidInput("members-unknown")
        return found

    def line(self) -> Line:
        """A line to the gateway for what anybody may read, to be entered and left."""
        return line_to(self.settings.gateway, self.settings.tls)


def federation_of(home: Path) -> Federation | None:
    """The keys of all members as a home has them without asking anybody; none in a home that knows nobody yet.

    Raises:
        InvalidInput: ``members-unknown``, when what it pinned cannot be read; ``root-pinned``.
        SaphanError: When the registry that it has seen does not hold.
    """
    if pins_root(home):
        return known(home, _now()) if (home / "registry").is_dir() else None
    path = home / "federation.json"
    if not path.exists():
        return None
    try:
        return Federation.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidInput("members-unknown") from error


def registered_keys(home: Path) -> dict[str, PublicKey]:
    """Every key that a home believes, by its name: the members', and those that sign the registry itself.

    Nobody is asked; a home that knows nobody yet believes none.

    Raises:
        SaphanError: As ``federation_of``.
    """
    federation = federation_of(home)
    if federation is None:
        return {}
    members = (key for each in federation.members for key in each.keys if key.kid.partition("#")[0] == each.agency)
    roles = known_roles(home, _now()) if pins_root(home) else ()
    return {key.kid: key for key in (*members, *roles)}


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # a command begins here


def load_client_settings(**given: object) -> ClientSettings:
    """Read the settings; what is ``None`` was not given.

    Raises:
        InvalidInput: ``setting-invalid``, naming the first wrong setting and never its value;
            ``home-without-settings``.
    """
    options = {name: value for name, value in given.items() if value is not None}
    try:
        return ClientSettings.model_validate(options)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "saphan.toml"
        # No member's home lacks its name: this is none.
        if (name, first["type"]) == ("agency", "missing"):
            raise InvalidInput("home-without-settings") from error
        raise InvalidInput("setting-invalid", setting=name, why=first["type"]) from error


@cache
def known_passphrase() -> bytes:
    """The passphrase of a home's keys, asked for once in a command."""
    return asked_passphrase()


def asked_passphrase() -> bytes:
    """The passphrase of a home's keys, asked for at the terminal and never shown."""
    return getpass("วลีรหัสผ่านของกุญแจ · passphrase of the keys: ").encode()
