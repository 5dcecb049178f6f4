"""What the authorization server says about itself: RFC 8414 metadata and its public keys (RFC 7517)."""

from datetime import datetime

from contracts.authorization import DETAIL_TYPE
from contracts.calls import INTROSPECTION_PATH, REVOCATION_PATH, TOKEN_PATH
from gateway.identity.assertions import AUTH_METHOD
from gateway.identity.jwts import ALGORITHMS
from gateway.identity.oauth_calls import GRANT_TYPE
from gateway.identity.token_keys import TokenKeys


def server_metadata(issuer: str) -> dict[str, str | bool | list[str]]:
    """The authorization server's metadata; every address is under the issuer."""
    base = issuer.rstrip("/")
    said: dict[str, str | bool | list[str]] = {
        "issuer": issuer,
        "token_endpoint": f"{base}{TOKEN_PATH}",
        "revocation_endpoint": f"{base}{REVOCATION_PATH}",
        "introspection_endpoint": f"{base}{INTROSPECTION_PATH}",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "grant_types_supported": [GRANT_TYPE],
        "response_types_supported": [],
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "tls_client_certificate_bound_access_tokens": True,
        "authorization_details_types_supported": [DETAIL_TYPE],
    }
    for endpoint in ("token", "revocation", "introspection"):
        said[f"{endpoint}_endpoint_auth_methods_supported"] = [AUTH_METHOD]
        said[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    return said


def public_keys(keys: TokenKeys, now: datetime) -> dict[str, list[dict[str, str]]]:
    """The keys by which access and task tokens are believed now, the next one among them before it signs."""
    return {"keys": [{**key.as_jwk(), "use": "sig"} for key in keys.published(now)]}
