"""The line of a connector whose network lets it out through a proxy alone: httpx2 knows how to speak to one."""

import httpx2
from typing_extensions import override

from contracts.errors import Unavailable
from contracts.signature_base import Message, headers_of
from contracts.transport import ClientFiles, client_context
from transport.line import Line


def line_through(proxy: str, url: str, files: ClientFiles) -> Line:
    """A line through a proxy and, over TLS, past it: the proxy sees the gateway's name and nothing else.

    Raises:
        InvalidInput: ``setting-invalid``, for plain HTTP through a network and for files that cannot be used.
    """
    verify, plain = client_context(url, files), {"accept-encoding": "identity"}
    return ClientLine(httpx2.Client(base_url=url, proxy=proxy, trust_env=False, headers=plain, verify=verify))


class ClientLine(Line):
    """A line over a client of httpx2, whose settings say where it leads.

    Args:
        http: The client, with the gateway's address as its base; it is closed with the line.
    """

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http

    @override
    def send(self, call: Message, seconds: float) -> Message:
        """Send a request; its time counts for each step of connecting, sending and receiving."""
        try:
            request = self._http.build_request(
                call.method, call.path, content=call.body, headers=dict(call.headers), timeout=seconds
            )
            answer = self._http.send(request, follow_redirects=False)
        except httpx2.HTTPError as error:
            raise Unavailable("gateway-unreachable") from error
        headers = headers_of(answer.headers.raw)
        return Message(call.method, call.path, headers, answer.content, answer.status_code, call)

    @override
    def close(self) -> None:
        self._http.close()
