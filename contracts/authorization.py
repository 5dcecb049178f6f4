"""What an access token allows beside calling at all: authorization details (RFC 9396) of one type."""

from collections.abc import Sequence
from typing import Final, Literal, Self

from pydantic import TypeAdapter, ValidationError

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput
from contracts.identifiers import Identifier
from contracts.values import Value

DETAIL_TYPE: Final = "saphan_activity"
MOST_DETAILS: Final = 16


class ActivityDetail(Value):
    """The right to ask questions of one activity under one agreement; nothing else may stand in it."""

    type: Literal["saphan_activity"]
    agreement: Identifier
    activity: Identifier

    @classmethod
    def of(cls, agreement: str, activity: str) -> Self:
        """The right to ask under this activity of this agreement."""
        return cls(type=DETAIL_TYPE, agreement=agreement, activity=activity)


_details: TypeAdapter[tuple[ActivityDetail, ...]] = TypeAdapter(tuple[ActivityDetail, ...])


def details_text(details: Sequence[ActivityDetail]) -> str:
    """The details as the JSON text of the form parameter ``authorization_details``."""
    return canonical_bytes([each.model_dump(mode="json") for each in details]).decode()


def read_details(text: str) -> tuple[ActivityDetail, ...]:
    """The details in a form parameter: a list of at least one and at most ``MOST_DETAILS``, all different.

    Raises:
        InvalidInput: ``malformed-body``, also for a field or a type that is not known.
    """
    try:
        details = _details.validate_json(text)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="authorization_details") from error
    if not 0 < len(details) <= MOST_DETAILS or len(set(details)) != len(details):
        raise InvalidInput("malformed-body", where="authorization_details")
    return details


def details_in(claim: object) -> tuple[ActivityDetail, ...]:
    """The details in a token's claim; none when the token has no such claim.

    Raises:
        InvalidInput: ``malformed-body``.
    """
    if claim is None:
        return ()
    try:
        return _details.validate_python(tuple(claim) if isinstance(claim, list) else claim)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="authorization_details") from error
