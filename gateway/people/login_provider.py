"""The login provider that the settings name, and the key or secret by which this gateway is known there."""

from typing import Final

from contracts.errors import InvalidInput
from contracts.federation import Federation
from gateway.people.oidc import WELL_KNOWN, Provider, check_address
from gateway.settings import GatewaySettings

LOGIN_KEY: Final = "login-1"


def login_kid(federation: Federation) -> str:
    """The name of the key by which the gateway shows a login provider who it is."""
    return f"{federation.operator}#{LOGIN_KEY}"


def provider_of(settings: GatewaySettings, federation: Federation) -> Provider | None:
    """The login provider, or none where the settings name none.

    Raises:
        InvalidInput: ``setting-invalid``, for an address that is not a provider's, or without a key and a secret.
    """
    address, kid = settings.oidc_metadata_url, login_kid(federation)
    if address is None:
        return None
    if not check_address(address).endswith(WELL_KNOWN):
        raise InvalidInput("setting-invalid", setting="oidc_metadata_url", why=f"it does not end in {WELL_KNOWN}")
    keys = settings.folder.keys
    key = keys.key(kid) if keys.holds(kid) else None
    secret = settings.oidc_secret.get_secret_value() if settings.oidc_secret and key is None else None
    if key is None and secret is None:
        raise InvalidInput("setting-invalid", setting="oidc_secret", why=f"neither a secret nor the key {kid} is here")
    return Provider(address, settings.oidc_client_id, settings.oidc_algorithm, key, secret)
