"""What a change is about, so that it wakes only those who wait for that."""

from typing import Final

EVERY_AGENCY: Final = "agencies"
"""Something that every connector must hear of."""


def of_agency(agency: str) -> str:
    """Work or news for an agency's connectors."""
    return f"agency {agency}"


def of_request(request: str) -> str:
    """A request moved on."""
    return f"request {request}"
