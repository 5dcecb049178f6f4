"""What a change is about, so that it wakes only those who wait for that.

Where a request stands is told to nobody: who asked sees it on a tick, and waits for that.
"""

from typing import Final

EVERY_AGENCY: Final = "agencies"
"""Something that every connector must hear of."""


def of_agency(agency: str) -> str:
    """Work or news for an agency's connectors."""
    return f"agency {agency}"
