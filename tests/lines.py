"""Lines whose other end is a function of a test."""

from collections.abc import Callable

import httpx2

from transport.line import Line
from transport.proxied import ClientLine

Handle = Callable[[httpx2.Request], httpx2.Response]


def line_into(handle: Handle) -> Line:
    """A line to a gateway that answers as the function says."""
    return ClientLine(httpx2.Client(base_url="http://gateway.example", transport=httpx2.MockTransport(handle)))
