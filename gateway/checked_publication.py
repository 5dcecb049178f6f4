"""Whether a published forecast or analysis is the one that its agency signed."""

from contracts.analysis import Analysis, PublishedAnalysis
from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.errors import Refused
from contracts.federation import Federation, KeyPurpose, PublicKey
from contracts.forecast import Forecast, PublishedForecast
from contracts.signing import verify_compact


def signer_of(published: PublishedForecast | PublishedAnalysis, document: str, federation: Federation) -> str:
    """The key that signed a publication, when all is well.

    Args:
        published: What the gateway shows, digest and all.
        document: What the gateway says was signed: a compact JWS.
        federation: The pinned keys; the key must have been valid when it was published.

    Raises:
        Refused: ``key-unknown``; ``signature-wrong``, also when what is shown is not what was signed, or was signed by
            another agency than the one that is said to have published it.
    """
    at = published.published_at
    kind, shown = _of(published)

    def key(kid: str) -> PublicKey | None:
        return federation.key(kid, KeyPurpose.CLIENT, at) if at is not None else None

    signed = verify_compact(document, kind, key)
    (kid,) = signed.signers
    is_own = kid.partition("#")[0] == published.agency and digest_of_bytes(signed.payload) == published.digest
    if not is_own or canonical_bytes(shown) != signed.payload:
        raise Refused("signature-wrong", why=f"{shown.id} is not what {published.agency} signed")
    return kid


def _of(published: PublishedForecast | PublishedAnalysis) -> tuple[str, Forecast | Analysis]:
    if isinstance(published, PublishedForecast):
        return "forecast", published.forecast
    return "analysis", published.analysis
