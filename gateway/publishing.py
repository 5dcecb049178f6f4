"""What members publish or take back: dataset contracts, withdrawals of releases."""

import json
from collections.abc import Sequence
from datetime import datetime

from contracts.canonical import canonical_bytes
from contracts.contract_diff import Version, compare
from contracts.contract_tables import check_one_dataset
from contracts.contract_versions import check_version, paths_of, required_bump, version_order
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput, Refused
from contracts.odcs import LARGEST, contract_from_document
from contracts.release import Release, ReleaseState, Withdrawal
from contracts.signing import SignedDocument, payload_of
from contracts.views import PublishedContract
from gateway import contract_signatures, events
from gateway.caller import Caller
from gateway.means import Means
from gateway.store import log, registry, releases, requests
from gateway.store.engine import Transaction
from gateway.store.registry import HeldContract

CONTRACT_KIND = "contract"


def publish_contract(means: Means, caller: Caller, published: PublishedContract) -> None:
    """Publish a dataset contract that its agency's steward and DPO have signed; the same again changes nothing.

    Raises:
        Refused: ``signers-incomplete`` unless exactly one steward and one DPO of the agency signed; ``not-allowed``
            for another agency's contract or source; ``source-renamed`` when a version that was published under this
            name is about another source; ``dataset-renamed`` when the table was published under another dataset's name;
            ``contract-version-not-higher``, ``contract-weaker-than-version``,
            ``contract-breaks-under-version`` or ``contract-version-too-low`` against the newest version that was ever
            published, retired or not; ``signature-wrong``, ``key-unknown``, ``request-replayed``.
        InvalidInput: ``contract-invalid``, also when the version was published with another text.
    """
    now = means.clock()
    signed = contract_signatures.verified(means, published.document, CONTRACT_KIND, now)
    contract = _read_contract(signed)
    owner = contract.source.partition("/")[0]
    if not (caller.agency == published.agency == contract.agency == owner):
        raise Refused("not-allowed")
    contract_signatures.check_signers(means, signed, owner, now)
    if published.reference != contract.reference:
        raise InvalidInput("contract-invalid", rule="reference", where="reference")
    if published.retired is not None:
        raise InvalidInput("malformed-body", where="retired")
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        log.lock(t)  # so that of two publications at once the later sees the earlier
        known = registry.versions(t, contract.agency, contract.id)
        if contract.digest in {each.contract.digest for each in known}:
            return
        if contract.version in {each.contract.version for each in known}:
            raise InvalidInput("contract-invalid", rule="version-is-immutable", where="version")
        _check_source(known, contract)
        check_one_dataset(registry.all_contracts(t), contract)
        event = events.contract_published(contract, now, _changes(known, Version.of(contract, signed.payload)))
        registry.add_contract(t, contract, published.document, now, event)


def withdraw(means: Means, caller: Caller, withdrawal: Withdrawal) -> Release:
    """Say that a release is no longer to be relied on; the same again changes nothing.

    Its requester, an agency whose data it was made from, and the gateway's operator may.

    Raises:
        InvalidInput: ``unknown-release``, ``release-erased``; ``malformed-body`` when it says ``valid``, or supersedes
            by nothing.
        Refused: ``not-allowed``; ``release-withdrawn`` when it was withdrawn before, in other words.
    """
    now = means.clock()
    if withdrawal.state is ReleaseState.VALID:
        raise InvalidInput("malformed-body", where="state")
    if (withdrawal.state is ReleaseState.SUPERSEDED) != (withdrawal.replaced_by is not None):
        raise InvalidInput("malformed-body", where="replaced_by")
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        _withdraw(t, means, caller, withdrawal, now)
        release = releases.any_release(t, withdrawal.release)
        if release is None:
            raise InvalidInput("release-erased")
    return release


def _check_source(known: Sequence[HeldContract], contract: DatasetContract) -> None:
    """The source is the key of the budget: under a new one, a dataset would have fresh accounts."""
    for source in {each.contract.source for each in known} - {contract.source}:
        raise Refused("source-renamed", contract=contract.id, source=contract.source, known=source)


def _changes(known: Sequence[HeldContract], new: Version) -> dict[str, str]:
    """What the log says of a new version against the newest one, whose version it must exceed by as much as it must."""
    if not known:
        return {}
    newest = max(known, key=lambda each: version_order(each.contract.version))
    comparison = compare(Version.of(newest.contract, payload_of(newest.document)), new)
    check_version(comparison)
    facts = {"replaces": newest.contract.digest, "bump": required_bump(comparison).word}
    told = {"weakens": comparison.weakening, "breaks": comparison.breaking}
    return facts | {name: paths_of(changes) for name, changes in told.items() if changes}


def _withdraw(t: Transaction, means: Means, caller: Caller, withdrawal: Withdrawal, now: datetime) -> None:
    standing = releases.lock_standing(t, withdrawal.release)
    if standing is None:
        raise InvalidInput("unknown-release")
    if caller.agency not in standing.agencies | {standing.requester, means.federation.operator}:
        raise Refused("not-allowed")
    if withdrawal.replaced_by is not None and releases.standing(t, withdrawal.replaced_by) is None:
        raise InvalidInput("unknown-release")
    if standing.withdrawal is None:
        releases.withdraw(t, withdrawal, events.withdrawn(withdrawal, caller.agency, now))
    elif standing.withdrawal != withdrawal:
        raise Refused("release-withdrawn", why=standing.withdrawal.reason)


def _read_contract(signed: SignedDocument) -> DatasetContract:
    if len(signed.payload) > LARGEST:  # before any time is spent on it
        raise InvalidInput("contract-invalid", rule="size", where="$")
    try:
        document = json.loads(signed.payload)
        is_canonical = isinstance(document, dict) and canonical_bytes(document) == signed.payload
    except (ValueError, RecursionError) as error:  # a text may nest deeper than a program can follow
        raise InvalidInput("malformed-body", where="document") from error
    if not is_canonical:
        raise InvalidInput("not-canonical")
    return contract_from_document(document)
