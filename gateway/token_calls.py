"""What a member asks about a token of its own agency: what it says, and to have it refused from now on."""

from pydantic import ValidationError

from contracts.authorization import ActivityDetail
from contracts.calls import INTROSPECTION_PATH, REVOCATION_PATH
from contracts.errors import Unavailable
from contracts.values import Value
from gateway.client import Gateway


class TokenView(Value):
    """What the gateway says of a token (RFC 7662); of one that is not good, or is others', only that.

    Times are seconds since 1970. ``cnf`` is what the token is bound to.
    """

    active: bool
    iss: str | None = None
    aud: str | None = None
    sub: str | None = None
    client_id: str | None = None
    jti: str | None = None
    iat: int | None = None
    exp: int | None = None
    token_type: str | None = None
    cnf: dict[str, str] | None = None
    authorization_details: tuple[ActivityDetail, ...] = ()


def introspect(gateway: Gateway, token: str) -> TokenView:
    """What a token says and whether it is good.

    Raises:
        Refused: ``token-invalid``, when the gateway does not take the own key.
        Unavailable: ``unknown-answer``.
    """
    try:
        return TokenView.model_validate_json(gateway.about_token(INTROSPECTION_PATH, token))
    except ValidationError as error:
        raise Unavailable("unknown-answer") from error


def revoke(gateway: Gateway, token: str) -> None:
    """Have a token refused: here at once, by every process of the gateway within a tick.

    Raises:
        Refused: ``token-invalid``, when it is a token of another agency.
    """
    gateway.about_token(REVOCATION_PATH, token)
