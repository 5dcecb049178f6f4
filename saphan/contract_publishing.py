"""What an agency does with its contracts on the gateway, for ``saphan contract`` and ``saphan connector`` alike."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from connectors.enrol import keep, retire, signed_contract
from connectors.home import Home
from connectors.journal.book import Journal
from connectors.main import open_channel
from connectors.settings import ConnectorSettings
from connectors.shelf import WrittenContract, read_file, read_folder
from contracts.dataset import ContractRef

Clock = Callable[[], datetime]


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
