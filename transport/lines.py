"""Which line leads to a gateway: straight there, or through the proxy of an agency's network."""

from contracts.transport import ClientFiles
from transport.http import HttpLine
from transport.line import Line


def line_to(url: str, files: ClientFiles, proxy: str | None = None) -> Line:
    """A line that leads nowhere but to the gateway: no redirect, and no proxy but the one that is given.

    The environment must not redirect an agency's traffic.

    Args:
        url: Where the gateway is reached: scheme, host and port.
        files: The trusted roots and what this side shows of itself.
        proxy: The address of the proxy, if there is one.

    Raises:
        InvalidInput: ``setting-invalid``, for plain HTTP through a network and for files that cannot be used.
    """
    if proxy is None:
        return HttpLine(url, files)
    from transport.proxied import line_through  # noqa: PLC0415  # httpx2 takes 0.1 s to import

    return line_through(proxy, url, files)
