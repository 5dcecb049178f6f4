"""OAuth with other people's programs: an npm client of our authorization server, and an npm server for our client."""

import json
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2

from contracts.authorization import ActivityDetail
from contracts.calls import SignedCalls
from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.signature_base import Message
from gateway.main import system_clock
from tests import factories
from tests.factories import Keys
from tests.gateway_world import AGREEMENT, CONTRACT
from tests.interop.environments import node_environment, say
from tests.served_world import free_port, served_with

CLIENT = "oja#client-1"
DETAIL = ActivityDetail.of(AGREEMENT.id, factories.ACTIVITY)


def check() -> int:
    """Both directions; 0 if every step went as it must."""
    node = node_environment("oauth")
    return max(_their_client(node), _their_server(node))


def _their_client(node: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        keys = _keys_of(f"http://127.0.0.1:{port}")
        with served_with(Path(folder) / "home", keys, port) as served:
            served.world().register((CONTRACT,), AGREEMENT)
            asked = {"issuer": served.url, "kid": CLIENT, "pem": keys[CLIENT].to_pem().decode()}
            command = ["node", "client.mjs", json.dumps({**asked, "detail": DETAIL.model_dump()})]
            done = subprocess.run(command, cwd=node, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode:
        say("oauth4webapi", "?", f"FAILED: {done.stderr.strip()[-400:]}")
        return 1
    told = json.loads(done.stdout)
    return _verdict("oauth4webapi", told["version"], "our authorization server", told["steps"])


def _their_server(node: Path) -> int:
    now, port = system_clock(), free_port()
    issuer = f"http://127.0.0.1:{port}"
    keys = _keys_of(issuer)
    public = keys.federation.key(CLIENT, KeyPurpose.CLIENT, now)
    assert public is not None
    jwk = json.dumps({**public.as_jwk(), "use": "sig"})
    with _program(["node", "provider.mjs", str(port), CLIENT, jwk], node) as version:
        return _verdict("oidc-provider", version, "our client, FAPI 2.0 profile", _steps_of_our_client(keys, issuer))


def _steps_of_our_client(keys: Keys, issuer: str) -> dict[str, bool]:
    now, steps = system_clock(), {}
    calls = SignedCalls(keys[CLIENT], "oja", issuer)
    with httpx2.Client(base_url=issuer, trust_env=False) as http:

        def sent(message: Message) -> httpx2.Response:
            return http.post(message.path, content=message.body, headers=dict(message.headers))

        asked = calls.token_request(now, DETAIL)
        answer = sent(asked)
        calls.accept_token(answer.content, now, DETAIL)
        steps["token"] = not calls.needs_token(now, DETAIL) and answer.json()["token_type"] == "DPoP"  # noqa: S105  # a type
        steps["authorization_details"] = answer.json()["authorization_details"] == [DETAIL.model_dump()]
        again = sent(asked)
        steps["the same assertion again is refused"] = again.status_code in {400, 401}
        try:
            calls.accept_token(again.content, now)
            steps["and our client says why"] = False
        except Refused as refusal:
            steps["and our client says why"] = refusal.code == "token-invalid"
        fresh = calls.token_request(now)
        bare = replace(fresh, headers={name: value for name, value in fresh.headers.items() if name != "dpop"})
        steps["without our proof there is no token"] = sent(bare).status_code in {400, 401}
    return steps


def _verdict(tool: str, version: str, subject: str, steps: dict[str, bool]) -> int:
    failed = [name for name, held in steps.items() if not held]
    say(
        tool,
        version,
        f"FAILED with {subject}: {', '.join(failed)}" if failed else f"{subject}: {len(steps)} steps hold",
    )
    return 1 if failed else 0


def _keys_of(issuer: str) -> Keys:
    now = system_clock()
    keys = factories.federation(valid_from=now - timedelta(days=1), valid_until=now + timedelta(days=1))
    return replace(keys, federation=keys.federation.model_copy(update={"gateway": issuer}))


@contextmanager
def _program(command: list[str], folder: Path) -> Iterator[str]:
    """A program that says "ready VERSION" and runs until the end of the block."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            word, _, version = process.stdout.readline().strip().partition(" ")
            if word != "ready":
                raise RuntimeError(f"{command[1]} did not start")
            yield version
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
