"""The gateway's settings: command line, then secret files, then ``SAPHAN_*``, then ``saphan.toml``, then defaults."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from contracts.errors import InvalidInput
from gateway.crash import CrashPoint
from gateway.edges.limits import Limits
from gateway.edges.tls import ServerFiles
from gateway.home import GatewayHome

DEFAULT_HOME: Final = Path(".saphan")


class GatewaySettings(BaseSettings):
    """How one gateway process runs.

    ``issuer`` is the name by which members know the gateway; without it the federation's is taken, and another one is
    refused. ``database_url`` defaults to SQLite in the home. Results leave on a tick of ``tick_seconds``; what another
    process changed is looked for every ``look_again_seconds`` where the database does not tell of it. Beyond
    ``most_waiting`` calls that wait, connectors are asked to come back later.
    ``synthetic`` makes the public page say that its data is made up.

    With ``tls_certificate`` and ``tls_key`` it listens over TLS; ``tls_client_ca`` are the authorities whose client
    certificates it asks for, and ``tls_client_required`` turns away who has none. ``trusted_proxies`` are the addresses
    of reverse proxies that are believed about their callers, with ``proxy_client_certificates`` also about certificates
    (``Client-Cert``, RFC 9440). ``allowed_hosts`` are names of the gateway besides the issuer's.

    ``oidc_metadata_url`` names the provider at which people may sign in besides passkeys, ``oidc_client_id`` the name
    of this gateway there, ``oidc_algorithm`` how its ID tokens must be signed. A key of the home proves who the gateway
    is (``private_key_jwt``), or else ``oidc_secret``.
    """

    model_config = SettingsConfigDict(env_prefix="SAPHAN_", frozen=True, extra="forbid")

    home: Path = DEFAULT_HOME
    database_url: SecretStr | None = None
    listen_host: str = "127.0.0.1"
    listen_port: int = Field(default=8000, ge=0, le=65_535)
    tick_seconds: float = Field(default=1.0, gt=0, le=3600)
    lease_seconds: float = Field(default=30.0, gt=0, le=3600)
    look_again_seconds: float = Field(default=0.5, gt=0, le=3600)
    most_waiting: int = Field(default=256, ge=0, le=100_000)
    issuer: str | None = None
    synthetic: bool = False
    crash_at: CrashPoint | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    tls_client_required: bool = False
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    proxy_client_certificates: bool = False
    allowed_hosts: tuple[str, ...] = ()
    limits: Limits = Limits()
    oidc_metadata_url: str | None = None
    oidc_client_id: str = "saphan"
    oidc_algorithm: Literal["RS256", "PS256", "ES256"] = "RS256"
    oidc_secret: SecretStr | None = None

    @property
    def tls(self) -> ServerFiles | None:
        """The files for TLS, relative paths beginning in the home; none without a certificate.

        Raises:
            InvalidInput: ``setting-invalid``, when one of certificate and key is named without the other.
        """
        if self.tls_certificate is None and self.tls_key is None:
            return None
        if self.tls_certificate is None or self.tls_key is None:
            raise InvalidInput("setting-invalid", setting="tls_certificate", why="certificate and key go together")
        authorities = None if self.tls_client_ca is None else self.home / self.tls_client_ca
        certificate, key = self.home / self.tls_certificate, self.home / self.tls_key
        return ServerFiles(certificate, key, authorities, self.tls_client_required)

    @property
    def folder(self) -> GatewayHome:
        """The home with what lies in it."""
        return GatewayHome(self.home)

    @property
    def database(self) -> str:
        """The address of the database, which may hold a password."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.folder.database}"

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


def load_settings(home: Path | None = None, **given: object) -> GatewaySettings:
    """Read the settings; what is ``None`` was not given.

    Raises:
        InvalidInput: ``setting-invalid``, naming the first wrong setting and never its value.
    """
    options = {name: value for name, value in {"home": home, **given}.items() if value is not None}
    try:
        return GatewaySettings.model_validate(options)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        # A file that is no TOML fails as a whole, without a place.
        name = ".".join(str(part) for part in first["loc"]) or "saphan.toml"
        raise InvalidInput("setting-invalid", setting=name, why=first["type"]) from error
