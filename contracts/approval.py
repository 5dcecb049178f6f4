"""An officer's decision on one request, where the activity says ``approval: each``."""

from datetime import datetime
from typing import Final

from pydantic import AwareDatetime, Field, ValidationError

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput, Refused
from contracts.federation import Federation, KeyPurpose
from contracts.identifiers import AgencyId, Digest
from contracts.signing import verify_document
from contracts.values import Value

DECISION_KIND: Final = "request-decision"


class OfficerDecision(Value):
    """What an officer of an agency decided, as it is signed (document kind ``request-decision``).

    ``request_digest`` stands for the very bytes that the requester signed: nothing else was approved.
    """

    request_digest: Digest
    agency: AgencyId
    approved: bool
    reason: str = Field(min_length=1, max_length=1000)
    at: AwareDatetime


def read_decision(document: str, agency: str, federation: Federation, at: datetime) -> OfficerDecision:
    """The decision in a document that exactly one officer of the agency has signed.

    Args:
        document: A JWS in general JSON serialisation.
        agency: Whose officer decides.
        federation: The pinned keys.
        at: When the signature was made, and the key had to be valid; a revoked key never is.

    Raises:
        Refused: ``key-unknown``, ``signature-wrong``, ``signers-incomplete``.
        InvalidInput: ``malformed-body``, ``not-canonical``.
    """
    signed = verify_document(document, DECISION_KIND, lambda kid: federation.key(kid, KeyPurpose.OFFICER, at))
    try:
        decision = OfficerDecision.model_validate_json(signed.payload)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="decision") from error
    if canonical_bytes(decision) != signed.payload:
        raise InvalidInput("not-canonical")
    owners = {kid.partition("#")[0] for kid in signed.signers}
    if len(signed.signers) != 1 or owners != {agency} or decision.agency != agency:
        raise Refused("signers-incomplete")
    return decision
