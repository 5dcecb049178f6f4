"""Which form of lease, task and part two programs speak: negotiated at every lease, from what both of them know.

Agencies upgrade on days of their own. A connector names the versions that it speaks, the gateway takes the highest that
both know and says which one and what else it speaks. Where there is none in common nothing is handed out: the work
waits, and whoever is behind is told so.

The name ``speaks`` and its form never change, whatever a later version does to the rest of the call: it is read first.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.errors import InvalidInput, Refused

FIRST: Final = 1
"""The version of a program that names none."""

SPOKEN: Final = (FIRST,)
"""The versions that this program speaks."""

Protocol = Annotated[int, Field(ge=FIRST, le=1000)]
"""The running number of a version."""

Protocols = Annotated[tuple[Protocol, ...], Field(min_length=1, max_length=16)]
"""The versions that a program speaks."""


class _Offer(BaseModel):
    """What every call for work begins with, of any version."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    speaks: Protocols = (FIRST,)


def offered(body: bytes) -> tuple[int, ...]:
    """The versions that a call for work names, whatever else stands in it.

    Raises:
        InvalidInput: ``malformed-body``.
    """
    try:
        return _Offer.model_validate_json(body).speaks
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="speaks") from error


def choose(connector: Sequence[int], gateway: Sequence[int]) -> int:
    """The highest version that both speak.

    Raises:
        Refused: ``connector-outdated`` or ``gateway-outdated``, whichever side knows only what is older.
    """
    common = set(connector) & set(gateway)
    if common:
        return max(common)
    code = "connector-outdated" if max(connector) < max(gateway) else "gateway-outdated"
    raise Refused(code, connector=_listed(connector), gateway=_listed(gateway))


def _listed(versions: Sequence[int]) -> str:
    return ", ".join(str(each) for each in sorted(versions))
