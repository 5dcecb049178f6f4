"""Who uses the command line: the member's home, its name and where the gateway is."""

from dataclasses import dataclass
from datetime import datetime
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
from contracts.federation import Federation, KeyPurpose
from contracts.identifiers import AgencyId
from contracts.keys import SigningKey, key_file_name, load_key

DEFAULT_HOME: Final = Path(".saphan")
CALLING_KEYS: Final = ("client-1", "connector-1")
ACT: Final = (KeyPurpose.OFFICER, KeyPurpose.DPO)
"""Whose keys act on agreements."""

PEOPLE: Final = tuple(f"{each.value}-" for each in ACT)


class ClientSettings(BaseSettings):
    """The settings that a member's commands need; a connector's or a centre's ``saphan.toml`` has them too."""

    model_config = SettingsConfigDict(env_prefix="SAPHAN_", frozen=True, extra="ignore")

    home: Path = DEFAULT_HOME
    agency: AgencyId
    gateway: str = Field(pattern=r"^https?://[^/?#]+/?$")

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

    def calling_key(self) -> SigningKey:
        """The key that signs calls: the client's, or the connector's where there is no client."""
        return self._key(CALLING_KEYS)

    def people(self) -> tuple[SigningKey, ...]:
        """The keys of officers and data protection officers that the home holds."""
        files = sorted((self.settings.home / "keys").glob(f"{self.settings.agency}~*.pem"))
        kids = [(file.stem.replace("~", "#"), file) for file in files]
        return tuple(load_key(kid, file.read_bytes()) for kid, file in kids if kid.partition("#")[2].startswith(PEOPLE))

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
        """The pinned keys of all members.

        Raises:
            InvalidInput: ``setting-invalid``.
        """
        try:
            return Federation.model_validate_json((self.settings.home / "federation.json").read_bytes())
        except (OSError, ValidationError) as error:
            why = "federation.json is missing or cannot be read"
            raise InvalidInput("setting-invalid", setting="federation", why=why) from error

    def _key(self, names: tuple[str, ...]) -> SigningKey:
        for name in names:
            kid = f"{self.settings.agency}#{name}"
            path = self.settings.home / "keys" / key_file_name(kid)
            if path.is_file():
                return load_key(kid, path.read_bytes())
        raise InvalidInput("setting-invalid", setting="keys", why=f"the home holds no key {' or '.join(names)}")


def load_client_settings(**given: object) -> ClientSettings:
    """Read the settings; what is ``None`` was not given.

    Raises:
        InvalidInput: ``setting-invalid``, naming the first wrong setting and never its value.
    """
    options = {name: value for name, value in given.items() if value is not None}
    try:
        return ClientSettings.model_validate(options)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "saphan.toml"
        # No member's home lacks its name: this is none.
        others = ("home-without-settings",) if (name, first["type"]) == ("agency", "missing") else ()
        raise InvalidInput("setting-invalid", others=others, setting=name, why=first["type"]) from error
