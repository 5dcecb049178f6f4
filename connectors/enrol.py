"""Setting a connector up: its home and keys, its contracts on the gateway, and those that it allows to be asked."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic_core import to_json

from connectors.home import Home
from connectors.journal.approved import ever_approved
from connectors.journal.book import Journal
from connectors.settings import SECRETS, ConnectorSettings
from connectors.shelf import WrittenContract, read_file, read_folder
from connectors.sources import place_of
from contracts.canonical import canonical_bytes
from contracts.contract_diff import Version, compare
from contracts.contract_tables import check_one_dataset
from contracts.contract_versions import check_version, version_order
from contracts.dataset import ContractRef, Text
from contracts.errors import InvalidInput, Refused
from contracts.federation import KeyPurpose, Member
from contracts.keys import SigningKey, new_key
from contracts.odcs import SUFFIX, bundled_ids, bundled_text
from contracts.retirement import RETIREMENT_KIND, ContractRetirement
from contracts.signing import sign_document
from contracts.views import PublishedContract, SignedText
from policies.rules import installed_texts

PURPOSES: Final = (
    KeyPurpose.CONNECTOR,
    KeyPurpose.OFFICER,
    KeyPurpose.STEWARD,
    KeyPurpose.DPO,
    KeyPurpose.REGISTRAR,
    KeyPurpose.WITNESS,
)
"""The keys of an agency; each signs one kind of thing."""

KEYS_LAST: Final = timedelta(days=730)
EARLIER: Final = "earlier"
"""The folder of the versions that another took the place of."""

SNAPSHOT_SECRET: Final = "snapshot"  # noqa: S105  # a file's name, not a secret
PLACES_SECRET: Final = "places"  # noqa: S105  # a file's name, not a secret


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an agency says when it sets its connector up.

    Args:
        agency: Its name.
        title: Its name for people.
        gateway: Where the gateway is reached.
        source: Its database as a URL.
        datasets: Its contracts: identifiers of bundled ones, or files.
    """

    agency: str
    title: Text
    gateway: str
    source: str
    datasets: tuple[str, ...]


def make_home(home: Home, enrolment: Enrolment, now: datetime) -> Member:
    """Make a home with fresh keys, settings and contracts; never over an existing one.

    Returns:
        The agency's public keys, as they also lie in ``public.json`` for the federation's operator.

    Raises:
        InvalidInput: ``folder-in-use`` for a home that holds keys; ``setting-invalid`` for a contract of another
            agency; ``unknown-contract``; ``contract-invalid``.
    """
    connector = f"{enrolment.agency}#connector-1"
    if home.keys.holds(connector):
        raise InvalidInput("folder-in-use")
    texts = [_text(each) for each in enrolment.datasets]
    home.make()
    home.pin_policies(installed_texts())
    for text in texts:
        _keep(home, enrolment.agency, text)
    _write_settings(home, enrolment)
    home.secret(SNAPSHOT_SECRET)
    keys = []
    for purpose in PURPOSES:
        key = new_key(f"{enrolment.agency}#{purpose.value}-1")
        home.save_key(key)
        keys.append(key.public_key(purpose, now, now + KEYS_LAST))
    member = Member(agency=enrolment.agency, title=enrolment.title, keys=tuple(keys))
    home.publish_keys(member)
    return member


def signed_contract(home: Home, written: WrittenContract) -> PublishedContract:
    """A contract under the signatures of the agency's steward and its data protection officer."""
    agency = written.contract.agency
    document = sign_document(written.document, "contract", *_signers(home, agency))
    return PublishedContract(reference=written.contract.reference, agency=agency, document=document)


def approve(home: Home, journal: Journal, settings: ConnectorSettings, wanted: str, now: datetime) -> ContractRef:
    """Put a contract on the agency's own list.

    Args:
        home: Where the agency's contracts lie.
        journal: Holds the list.
        settings: Whose connector this is, and where its tables are.
        wanted: The digest of a contract in the home, or a file.
        now: The instant of approval.

    Raises:
        InvalidInput: ``unknown-contract``; ``contract-invalid``; ``setting-invalid`` for another agency's contract.
        Refused: ``source-renamed``: a table, and a dataset, keep the source under which they were first approved;
            ``dataset-renamed``: a table that was ever approved keeps its dataset's name;
            ``contract-retired``: what was taken off the list comes back as a new version alone; as
            ``contracts.contract_versions.check_version``, against the highest version that ever stood on the list.
    """
    written = _wanted(home, wanted)
    if written.contract.agency != settings.agency:
        raise InvalidInput("setting-invalid", setting="agency", why="the contract is another agency's")
    _check_version(journal, written)
    check_one_dataset(ever_approved(journal), written.contract)
    place = place_of(settings.source.get_secret_value(), written.contract.table)
    # Keyed, so that a copy of the journal tells nobody where the tables are.
    digest = hmac.new(home.secret(PLACES_SECRET), place.encode(), "sha256").hexdigest()
    journal.approve(written.contract, written.document.decode(), digest, now)
    return written.contract.reference


def waiting(home: Home, journal: Journal) -> tuple[str, ...]:
    """The digests of the home's contracts that were never taken off the agency's list."""
    digests = (each.contract.digest for each in read_folder(home.contracts))
    return tuple(digest for digest in digests if not _is_retired(journal, digest))


def keep(home: Home, file: Path) -> WrittenContract:
    """Take a contract's file into the home in place of the version before it, which moves to ``contracts/earlier``.

    Raises:
        InvalidInput: ``contract-invalid``; ``file-unreadable``.
    """
    written = read_file(file)
    place = home.contracts / f"{written.contract.id}{SUFFIX}"
    if place.exists() and place.resolve() != file.resolve():
        before = read_file(place).contract
        earlier = home.contracts / EARLIER
        earlier.mkdir(mode=0o700, exist_ok=True)
        place.replace(earlier / f"{before.id}-{before.version}{SUFFIX}")
    if not place.exists():
        home.write(place, file.read_bytes())
    return written


def retire(
    home: Home, journal: Journal, agency: str, wanted: str, reason: str, now: datetime
) -> tuple[ContractRef, SignedText]:
    """Take a contract off the agency's own list, at once and for good, and sign that for the gateway.

    Args:
        home: Holds the keys of steward and data protection officer.
        journal: Holds the list.
        agency: Whose connector this is.
        wanted: The contract's digest.
        reason: Why, for everybody to read.
        now: The instant of retirement.

    Raises:
        InvalidInput: ``unknown-contract`` when neither the list nor the home has it.
    """
    reference = _reference(home, journal, wanted)
    if journal.lists(wanted):
        journal.retire(wanted, now)
    retirement = ContractRetirement(reference=reference, agency=agency, reason=reason, at=now)
    document = sign_document(canonical_bytes(retirement), RETIREMENT_KIND, *_signers(home, agency))
    return reference, SignedText(document=document)


def _reference(home: Home, journal: Journal, digest: str) -> ContractRef:
    known = journal.known(digest)
    if known is not None:
        return known.contract
    written = [
        each.contract.reference for each in (*read_folder(home.contracts), *read_folder(home.contracts / EARLIER))
    ]
    found = next((each for each in written if each.digest == digest), None)
    if found is None:
        raise InvalidInput("unknown-contract", contract=digest)
    return found


def _is_retired(journal: Journal, digest: str) -> bool:
    known = journal.known(digest)
    return known is not None and known.retired_at is not None


def _signers(home: Home, agency: str) -> tuple[SigningKey, ...]:
    return tuple(home.keys.latest(agency, purpose) for purpose in (KeyPurpose.STEWARD, KeyPurpose.DPO))


def _check_version(journal: Journal, written: WrittenContract) -> None:
    contract, known = written.contract, journal.history(written.contract.id)
    if _is_retired(journal, contract.digest):
        raise Refused("contract-retired", contract=contract.id)
    others = [each for each in known if each.contract.digest != contract.digest]
    if len(others) < len(known) or not others:
        return
    if contract.version in {each.contract.version for each in others}:
        raise InvalidInput("contract-invalid", rule="version-is-immutable", where="version")
    newest = max(others, key=lambda each: version_order(each.contract.version))
    check_version(compare(Version.read(newest.document.encode()), Version.of(contract, written.document)))


def _wanted(home: Home, wanted: str) -> WrittenContract:
    if not wanted.startswith("sha-256:"):
        if not Path(wanted).is_file():
            raise InvalidInput("unknown-contract", contract=wanted)
        return read_file(Path(wanted))
    found = next((each for each in read_folder(home.contracts) if each.contract.digest == wanted), None)
    if found is None:
        raise InvalidInput("unknown-contract", contract=wanted)
    return found


def _text(dataset: str) -> str:
    if dataset not in bundled_ids() and Path(dataset).is_file():
        return Path(dataset).read_text(encoding="utf-8")
    return bundled_text(dataset)


def _keep(home: Home, agency: str, text: str) -> None:
    draft = home.contracts / "draft"
    home.write(draft, text.encode())
    contract = read_file(draft).contract
    if contract.agency != agency:
        draft.unlink()
        raise InvalidInput("setting-invalid", setting="dataset", why="the contract is another agency's")
    draft.replace(home.contracts / f"{contract.id}{SUFFIX}")


def _write_settings(home: Home, enrolment: Enrolment) -> None:
    """Settings in clear; the source, which may hold a password, apart."""
    # A JSON string is a TOML basic string.
    settings = {"agency": enrolment.agency, "gateway": enrolment.gateway}
    lines = [f"{name} = {to_json(value).decode()}\n" for name, value in settings.items()]
    home.write(home.settings, "".join(lines).encode())
    secrets = home.path / SECRETS
    secrets.mkdir(mode=0o700, exist_ok=True)
    home.write(secrets / "saphan_source", enrolment.source.encode())
