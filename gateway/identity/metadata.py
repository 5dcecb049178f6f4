"""What the authorization server says about itself: RFC 8414 metadata and its public keys (RFC 7517)."""

from datetime import datetime

from contracts.federation import Federation, KeyPurpose
from gateway.identity.authorization_server import AUTH_METHOD, GRANT_TYPE
from gateway.identity.jwts import ALGORITHMS


def server_metadata(issuer: str) -> dict[str, str | list[str]]:
    """The authorization server's metadata; every address is under the issuer."""
    base = issuer.rstrip("/")
    return {
        "issuer": issuer,
        "token_endpoint": f"{base}/v1/token",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "grant_types_supported": [GRANT_TYPE],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": [AUTH_METHOD],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
    }


def public_keys(federation: Federation, now: datetime) -> dict[str, list[dict[str, str]]]:
    """The keys that sign access and task tokens now."""
    keys = federation.keys_of(federation.operator, KeyPurpose.TOKEN, now)
    return {"keys": [{**key.as_jwk(), "use": "sig"} for key in keys]}
