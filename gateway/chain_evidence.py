"""The evidence of one request: the gateway's operator takes it out for an auditor, who checks it without the gateway.

It holds the agencies' answers and the salts of the commitments, which open them: it is handed over, never published.
"""

from contracts.chain_evidence import ChainEvidence, ChainLink, CheckedLink, check_links
from contracts.errors import InvalidInput
from contracts.federation import Federation
from gateway.checked_release import check_release
from gateway.store import log, relay, releases, requests
from gateway.store.engine import Reading, Store
from gateway.store.releases import HeldRelease


def evidence_of(store: Store, request: str) -> ChainEvidence:
    """All that was signed of a request; of one that was given another's release, that other's.

    Raises:
        InvalidInput: ``chain-not-kept``, when nothing was forwarded for it, or it is erased.
    """
    with store.read() as r:
        held = requests.find(r, request)
        released = releases.held_release(r, held.release) if held and held.release else None
        asked = released.release.body.request_id if released else request
        answers = relay.answers_of(r, asked)
        if not answers:
            raise InvalidInput("chain-not-kept", request=request)
        salts = _salts(r, released)
    links = [
        ChainLink(task=each.task, part=each.posted, salt=salts[place] if salts else None)
        for place, each in enumerate(answers)
    ]
    return ChainEvidence(request=asked, links=tuple(links), release=released.release if released else None)


def check_evidence(evidence: ChainEvidence, federation: Federation) -> tuple[CheckedLink, ...]:
    """Check a request's whole chain against the pinned keys: every signature, the release, and what it commits to.

    Raises:
        IntegrityError: ``chain-broken`` or ``release-altered``.
    """
    if evidence.release is not None:
        check_release(evidence.release, federation)
    return check_links(evidence, federation)


def _salts(r: Reading, released: HeldRelease | None) -> list[str]:
    """The salts of a release's commitments, in their order: that of the tasks, by which they are named."""
    if released is None:
        return []
    openings = [each for each in log.openings(r, released.log_index) if each.name.startswith("part-")]
    return [each.salt for each in sorted(openings, key=lambda each: int(each.name.split("-")[1]))]
