"""Lines whose other end is a function of a test."""

from collections.abc import Callable

import httpx2

from transport.line import Line
from transport.proxied import ClientLine

Handle = Callable[[httpx2.Request], httpx2.Response]


def line_into(handle: Handle) -> Line:
    """A line to a gateway that answers as the function says."""
    way = httpx2.MockTransport(lambda request: unread(handle(request)))
    return ClientLine(httpx2.Client(base_url="http://gateway.example", transport=way))


def unread(said: httpx2.Response) -> httpx2.Response:
    """An answer as it comes from a network: nobody has read its body yet."""
    return httpx2.Response(said.status_code, headers=said.headers, stream=httpx2.ByteStream(said.content))
