"""The settings of a connector: command line > secret files > ``SAPHAN_*`` > ``saphan.toml`` > default."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from connectors.crash import CrashPoint
from connectors.home import Home
from contracts.errors import InvalidInput
from contracts.identifiers import AgencyId, NanoRho
from contracts.transport import ADDRESS, ClientFiles

SECRETS = "secrets"
"""The folder of the home whose files are settings: ``secrets/saphan_source``."""


class ConnectorSettings(BaseSettings):
    """Every setting of a connector, its unit and its default. There is no other configuration."""

    model_config = SettingsConfigDict(env_prefix="SAPHAN_", frozen=True, extra="ignore")

    home: Path = Path(".saphan")
    """The folder of keys, databases and contracts."""

    agency: AgencyId
    """Whose connector this is."""

    gateway: str = Field(pattern=ADDRESS)
    """Where the gateway is reached."""

    source: SecretStr
    """The agency's database as a URL: it may hold a password."""

    proxy: SecretStr | None = None
    """The proxy through which the gateway is reached, if the agency's network has one."""

    tls_ca: Path | None = None
    """The roots that the gateway's certificate must lead to; those of the operating system when it is left out."""

    tls_certificate: Path | None = None
    """The certificate that is shown to the gateway (mutual TLS)."""

    tls_key: Path | None = None
    """Its private key."""

    cap_nano_rho: Annotated[NanoRho, Field(gt=0)] | None = None
    """The agency's own cap of each source and fiscal year; none when its contracts' budgets suffice."""

    workers: int = Field(default=2, ge=1, le=16)
    """Answers made at once."""

    wait_seconds: int = Field(default=20, ge=0, le=30)
    """How long one poll for work waits."""

    crash_at: CrashPoint | None = None
    """For tests of recovery: the process kills itself at this point."""

    @property
    def tls(self) -> ClientFiles:
        """The files for TLS; a relative path begins in the home."""
        return ClientFiles(self.tls_ca, self.tls_certificate, self.tls_key).within(self.home)

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of precedence; the home decides where the files are."""
        given = {**env_settings(), **init_settings()}
        home = Home(Path(given.get("home", ".saphan")))
        toml = TomlConfigSettingsSource(settings_cls, home.settings)
        secrets = home.path / SECRETS
        if not secrets.is_dir():
            return (init_settings, env_settings, toml)
        return (init_settings, SecretsSettingsSource(settings_cls, secrets), env_settings, toml)


def load_settings(**given: object) -> ConnectorSettings:
    """The settings; ``given`` are those of the command line, None where it says nothing.

    Raises:
        InvalidInput: ``setting-invalid``, naming the first wrong setting but never its value;
            ``home-without-settings``.
    """
    try:
        return ConnectorSettings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(step) for step in first["loc"])
        # No member's home lacks its name: this is none.
        if (name, first["type"]) == ("agency", "missing"):
            raise InvalidInput("home-without-settings") from error
        raise InvalidInput("setting-invalid", setting=name, why=first["msg"]) from error
