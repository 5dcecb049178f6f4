"""The gateway over a real socket, as ``saphan gateway serve`` runs it."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing

import httpx2
import pytest

from contracts.errors import Unavailable
from gateway.agreement_calls import everything
from gateway.audit_calls import audit_verify
from gateway.client import Gateway
from tests.served_world import Served, free_port, served_gateway

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_gateway(tmp_path_factory.mktemp("served") / "home") as started:
        yield started


def test_a_member_talks_to_a_served_gateway(served: Served) -> None:
    with Gateway(served.url, served.keys["oja#client-1"], "oja", served.keys.federation) as gateway:
        assert gateway.budget() == ()
        assert everything(gateway) == ()
        assert audit_verify(gateway) == 0


def test_the_server_does_not_say_what_it_is(served: Served) -> None:
    answer = httpx2.get(f"{served.url}/health/live", trust_env=False)
    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers


def test_a_malformed_http_message_gets_no_answer_from_the_inside(served: Served) -> None:
    host, _, port = served.url.removeprefix("http://").partition(":")
    with closing(socket.create_connection((host, int(port)), timeout=5)) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert line.recv(64).startswith(b"HTTP/1.1 400")


def test_a_client_waits_through_a_restart_only_as_long_as_it_was_told(served: Served) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with Gateway(nobody, served.keys["oja#client-1"], "oja", served.keys.federation) as gateway:
        started = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            gateway.wait("REQ-0001", 1.0)
    assert caught.value.code == "gateway-unreachable"
    assert 0.9 < time.monotonic() - started < 10
