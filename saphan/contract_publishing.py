"""What an agency does with its contracts on the gateway, for ``saphan contract`` and ``saphan connector`` alike."""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from connectors.agent import Channel
from connectors.enrol import keep, retire, signed_contract
from connectors.home import Home
from connectors.journal.book import Journal
from connectors.main import open_channel
from connectors.settings import ConnectorSettings
from connectors.shelf import WrittenContract, read_file, read_folder
from contracts.dataset import ContractRef
from contracts.federation import KeyPurpose, Member
from contracts.registry import contract_path
from contracts.views import PublishedContract

Clock = Callable[[], datetime]

log = logging.getLogger("saphan.connector")


def publish(settings: ConnectorSettings, files: Sequence[Path], clock: Clock) -> list[ContractRef]:
    """Sign contracts as steward and as data protection officer, and publish them.

    Args:
        settings: The agency's connector.
        files: The contracts; none means all of the home. Once published, a file from elsewhere is kept in the home.
        clock: Gives aware UTC.

    Raises:
        InvalidInput: ``contract-invalid``, before anything is published.
        SaphanError: What the gateway says against it.
    """
    home = Home(settings.home)
    written: Iterable[WrittenContract] = [read_file(each) for each in files] if files else read_folder(home.contracts)
    signed = [signed_contract(home, each) for each in written]
    with closing(Journal(home.journal)) as journal, open_channel(settings, journal, clock) as channel:
        for each in signed:
            channel.publish(each)
        _register(settings, channel, signed, clock)
    for file in files:
        keep(home, file)
    return [each.reference for each in signed]


def take_back(settings: ConnectorSettings, digest: str, reason: str, clock: Clock) -> ContractRef:
    """Take a contract off the agency's own list and retire it on the gateway, for good.

    The own list comes first: what the agency takes back is not answered any more, even while the gateway is down. Then
    the same call again tells the gateway.

    Raises:
        InvalidInput: ``unknown-contract``.
        SaphanError: What the gateway says against it.
    """
    home = Home(settings.home)
    with closing(Journal(home.journal)) as journal:
        reference, document = retire(home, journal, settings.agency, digest, reason, clock())
        with open_channel(settings, journal, clock) as channel:
            channel.retire(digest, document)
    return reference


def _register(
    settings: ConnectorSettings, channel: Channel, published: Sequence[PublishedContract], clock: Clock
) -> None:
    """Have the registrar sign the contracts into the agency's part of the trust registry, where that is in use."""
    home = Home(settings.home)
    if channel.followed is None:
        return
    if not home.keys.of(settings.agency, KeyPurpose.REGISTRAR):
        log.warning("no registrar's key in this home: the contracts are published, but not in the trust registry")
        return
    from trust.registrar import publish as register  # noqa: PLC0415  # tuf takes 0.2 s to import

    contracts = {contract_path(each.agency, each.reference.digest): each.document for each in published}
    stated = Member.model_validate_json(home.public.read_bytes())
    key = home.keys.latest(settings.agency, KeyPurpose.REGISTRAR)
    register(home.path, channel.line, stated, key, clock(), contracts)
