"""An OpenID Connect provider over real HTTP with real signatures: honest, until a test bends what it says.

It authenticates whoever comes as ``subject``. Codes are good once, bound to client, redirect address and PKCE verifier;
clients prove themselves by ``private_key_jwt`` or by their secret.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from typing_extensions import override

CLIENT = "saphan"
SECRET = "a secret of the tests"  # noqa: S105  # of a provider that lives for one test
REDIRECT = "https://gateway.example/account/oidc/callback"
Claims = dict[str, Any]


@cache
def _key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


@dataclass
class LoginProvider:
    """What the provider is and says; ``bend`` changes what the next ID tokens claim, ``sign`` how they are signed."""

    client_key: ECKey | None = None
    subject: str = "person-17"
    now: Callable[[], float] = time.time
    address: str = ""
    algorithm: str = "RS256"
    key: RSAKey | ECKey = field(default_factory=_key)
    bend: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[[Claims], str] | None = None
    metadata: Claims = field(default_factory=dict)
    jwks: Claims | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    assertions: set[str] = field(default_factory=set)
    token_status: int = 200
    broken: str = ""
    exchanges: int = 0

    @property
    def metadata_url(self) -> str:
        """Where its metadata are."""
        return f"{self.address}/.well-known/openid-configuration"

    def described(self) -> Claims:
        """Its metadata."""
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        places = {name: f"{self.address}/{path}" for name, path in names.items()}
        more = {"issuer": self.address, "authorization_response_iss_parameter_supported": True}
        # What it claims to support is not what the gateway believes: the algorithm is pinned there.
        more |= {"id_token_signing_alg_values_supported": ["RS256", "HS256", "none"]}
        return places | more | self.metadata

    def visit(self, address: str) -> str:
        """What a browser brings back after its person has signed in: the redirect address with its parameters."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] == REDIRECT
        assert query["code_challenge_method"] == "S256"
        self.asked.append(query)
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{REDIRECT}?{urlencode({'code': code, 'state': query['state'], 'iss': self.address})}"

    def exchanged(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        """The answer of the token endpoint."""
        self.exchanges += 1
        query = self.codes.pop(form.get("code", ""), None)
        if query is None or not self._knows(form, authorization) or form.get("redirect_uri") != REDIRECT:
            return 400, {"error": "invalid_grant", "error_description": "secret words of the provider"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if challenge.rstrip(b"=").decode() != query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(self.now())
        claims: Claims = {"iss": self.address, "aud": CLIENT, "sub": self.subject, "iat": now, "exp": now + 300}
        claims = self.bend(claims | {"nonce": query["nonce"], "auth_time": now})
        token = self.sign(claims) if self.sign else self.signed(claims)
        return self.token_status, {"access_token": "at", "token_type": "Bearer", "id_token": token, "expires_in": 60}

    def signed(self, claims: Claims) -> str:
        """An ID token by its own key."""
        return jwt.encode({"alg": self.algorithm, "kid": "one"}, claims, self.key, algorithms=[self.algorithm])

    def by_its_public_key(self, claims: Claims) -> str:
        """An ID token under HS256 whose secret is the provider's public key."""
        return by_secret(claims, self.key.as_pem(private=False))

    @staticmethod
    def unsigned(claims: Claims) -> str:
        """An ID token that nobody signed."""
        return f"{_part({'alg': 'none'})}.{_part(claims)}."

    def _knows(self, form: dict[str, str], authorization: str) -> bool:
        if self.client_key is None:
            expected = base64.b64encode(f"{CLIENT}:{SECRET}".replace(" ", "+").encode()).decode()
            plain = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            return authorization in {f"Basic {expected}", f"Basic {plain}"}
        claims = jwt.decode(form["client_assertion"], self.client_key, algorithms=["ES256"]).claims
        is_new = claims["jti"] not in self.assertions
        self.assertions.add(claims["jti"])
        right = {"iss": CLIENT, "sub": CLIENT, "aud": self.address}
        return is_new and {name: claims[name] for name in right} == right and claims["exp"] - claims["iat"] <= 60


def by_secret(claims: Claims, secret: bytes) -> str:
    """An ID token under HS256, which our library refuses to make with a public key."""
    signed = f"{_part({'alg': 'HS256'})}.{_part(claims)}"
    return f"{signed}.{_encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def _part(value: Claims) -> str:
    return _encode(json.dumps(value).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def serving(provider: LoginProvider) -> Iterator[LoginProvider]:
    """Serve the provider on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages = {"/.well-known/openid-configuration": provider.described, "/jwks": keys}
            page = pages.get(urlsplit(self.path).path)
            self._answer(*((404, {}) if page is None or provider.broken == self.path else (200, page())))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.exchanged(form, self.headers.get("authorization", "")))

        def _answer(self, status: int, value: Claims) -> None:
            data = b"<html>" if provider.broken == "json" else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    def keys() -> Claims:
        return provider.jwks or {"keys": [provider.key.as_dict(private=False)]}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
