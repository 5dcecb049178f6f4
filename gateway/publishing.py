"""What members publish or take back: dataset contracts, forecasts, withdrawals of releases."""

import json
from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.contract_diff import Version, compare
from contracts.contract_tables import check_one_dataset
from contracts.contract_versions import check_version, paths_of, required_bump, version_order
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose
from contracts.forecast import Forecast, PublishedForecast
from contracts.odcs import LARGEST, contract_from_document
from contracts.release import Release, ReleaseState, Withdrawal
from contracts.signing import SignedDocument, payload_of, verify_compact
from contracts.views import PublishedContract
from gateway import contract_signatures, events
from gateway.caller import Caller
from gateway.means import Means
from gateway.store import forecasts, log, registry, releases, requests
from gateway.store.engine import Transaction
from gateway.store.registry import HeldContract

CONTRACT_KIND = "contract"
FORECAST_KIND = "forecast"


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


def publish_forecast(means: Means, caller: Caller, document: str) -> PublishedForecast:
    """Publish a forecast that the caller's client key signed; the same again changes nothing.

    Raises:
        Refused: ``signature-wrong``, ``key-unknown``; ``not-allowed`` when another agency signed; ``release-withdrawn``
            when it cites a release that is no longer valid.
        InvalidInput: ``malformed-body``, ``not-canonical``; ``unknown-release`` when it cites what the caller cannot
            read, or with another digest; ``request-id-reused`` when its identifier stands for another forecast.
    """
    now = means.clock()
    signed = verify_compact(document, FORECAST_KIND, lambda kid: means.federation.key(kid, KeyPurpose.CLIENT, now))
    if {kid.partition("#")[0] for kid in signed.signers} != {caller.agency}:
        raise Refused("not-allowed")
    forecast, digest = _read_forecast(signed), digest_of_bytes(signed.payload)
    with means.store.transaction() as t:
        requests.spend_nonce(t, caller.kid, caller.nonce, now)
        _check_citations(t, forecast, caller, now)
        event = events.forecast_published(forecast, digest, caller.agency, now)
        is_new = forecasts.add_forecast(t, forecast, digest, document, event)
        if not is_new and forecasts.digest_of_forecast(t, forecast.id) != digest:
            raise InvalidInput("request-id-reused")
    return PublishedForecast(forecast=forecast, digest=digest)


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


def _check_citations(t: Transaction, forecast: Forecast, caller: Caller, now: datetime) -> None:
    for cited in forecast.citations:
        standing = releases.standing(t, cited.release)
        readable = releases.may_read(t, cited.release, caller.agency, now)
        if standing is None or not readable or standing.digest != cited.digest:
            raise InvalidInput("unknown-release")
        if standing.withdrawal is not None:
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


def _read_forecast(signed: SignedDocument) -> Forecast:
    try:
        forecast = Forecast.model_validate_json(signed.payload)
    except ValidationError as error:
        raise InvalidInput("malformed-body", where="forecast") from error
    if canonical_bytes(forecast) != signed.payload:
        raise InvalidInput("not-canonical")
    return forecast
