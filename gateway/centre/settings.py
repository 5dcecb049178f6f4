"""The centre's settings: command line, then secret files, then ``SAPHAN_*``, then ``saphan.toml``, then defaults."""

from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from contracts.errors import InvalidInput
from contracts.identifiers import AgencyId, Identifier
from contracts.transport import ADDRESS, ClientFiles
from forecasting.spread import Spread
from gateway.centre.schedule import Schedule

DEFAULT_HOME: Final = Path(".saphan/centre")


class CentreSettings(BaseSettings):
    """How the forecasting centre runs.

    ``agency`` is the member that it asks for and ``agreement`` the agreement under which it asks; ``gateway`` the
    address at which the gateway is reached; ``tls_ca`` are the roots that its certificate must lead to,
    ``tls_certificate`` and ``tls_key`` what is shown to it (mutual TLS).
    ``quorum`` agencies must stand by the log's checkpoint of every release that is fetched; who sets it tries again
    until they do. ``wait_seconds`` bounds the wait for one release. ``serve`` works on its
    ``schedule`` at ``hour`` of Bangkok; ``refresh_seconds`` is the pause before it tries again what failed, and between
    two rounds of the schedule ``refresh``. ``horizon`` months are forecast with intervals of ``level`` per cent, fitted
    by ``engine`` in ``processes``. ``simulations`` are the runs that tell how far an evaluation can be trusted.
    """

    model_config = SettingsConfigDict(env_prefix="SAPHAN_", frozen=True, extra="forbid")

    home: Path = DEFAULT_HOME
    agency: AgencyId
    gateway: str = Field(pattern=ADDRESS)
    agreement: Identifier
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    quorum: int = Field(default=0, ge=0)
    wait_seconds: float = Field(default=600.0, gt=0, le=86_400)
    refresh_seconds: float = Field(default=3600.0, gt=0, le=604_800)
    schedule: Schedule = Schedule.REFRESH
    hour: int = Field(default=6, ge=0, le=23)
    engine: Spread = Spread.LOCAL
    processes: int = Field(default=1, ge=1, le=256)
    horizon: int = Field(default=12, ge=1, le=36)
    level: int = Field(default=90, ge=50, le=99)
    simulations: int = Field(default=500, ge=100, le=10_000)

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
        """The order of precedence; the home, which says where the files are, comes from the first two or is default."""
        home = Path({**env_settings(), **init_settings()}.get("home", DEFAULT_HOME))
        secrets = home / "secrets"
        files = (SecretsSettingsSource(settings_cls, secrets_dir=secrets),) if secrets.is_dir() else ()
        toml = TomlConfigSettingsSource(settings_cls, toml_file=home / "saphan.toml")
        return (init_settings, *files, env_settings, toml)


def load_settings(home: Path | None = None, **given: object) -> CentreSettings:
    """Read the settings; what is ``None`` was not given.

    Raises:
        InvalidInput: ``setting-invalid``, naming the first wrong setting and never its value;
            ``home-without-settings``.
    """
    options = {name: value for name, value in {"home": home, **given}.items() if value is not None}
    try:
        return CentreSettings.model_validate(options)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        # A file that is no TOML fails as a whole, without a place.
        name = ".".join(str(part) for part in first["loc"]) or "saphan.toml"
        # No member's home lacks its name: this is none.
        if (name, first["type"]) == ("agency", "missing"):
            raise InvalidInput("home-without-settings") from error
        raise InvalidInput("setting-invalid", setting=name, why=first["type"]) from error
