"""The HTTP client of those who call the gateway: it goes nowhere else."""

from typing import Final

import httpx2

from contracts.transport import ClientFiles, client_context

LONGEST_POLL: Final = 20
"""Seconds for which a call asks the gateway to wait."""


def client_of(url: str, tls: ClientFiles | None) -> httpx2.Client:
    """A client that follows no redirect, no proxy and no root of the environment's.

    Args:
        url: Where the gateway is reached.
        tls: The trusted roots and what this side shows of itself.

    Raises:
        InvalidInput: ``setting-invalid``, for plain HTTP through a network and for files that cannot be used.
    """
    verify = client_context(url, tls or ClientFiles())
    return httpx2.Client(base_url=url, timeout=LONGEST_POLL + 10.0, trust_env=False, verify=verify)
