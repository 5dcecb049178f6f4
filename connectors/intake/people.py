"""How people stand in the import store: under a keyed hash of their number, by a secret of the home.

Whoever looks for a person there, such as an objection, has to ask for them under the same hash.
"""

import hmac
from typing import Final

from connectors.home import Home
from connectors.intake import store
from connectors.intake.cells import KEYED_HEX, read_person
from connectors.sources import place_of
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput

PEOPLE_SECRET: Final = "import-people"  # noqa: S105  # a file's name, not a secret
_CHECK: Final = b"\x00check"
"""No person's number begins with a control character."""


def check_of(secret: bytes) -> str:
    """What tells one secret from another without telling the secret."""
    return hmac.digest(secret, _CHECK, "sha256").hex()[:KEYED_HEX]


def is_source(home: Home, source: str, contract: DatasetContract) -> bool:
    """Whether an agency's source is the home's own import store.

    Raises:
        InvalidInput: ``setting-invalid``, for a source of an unknown kind.
    """
    own = f"duckdb:///{home.path / store.FILE}"
    return place_of(source, contract.table) == place_of(own, contract.table)


def key_in_source(home: Home, source: str, contract: DatasetContract, given: str) -> str:
    """A person's key as the agency's source holds it.

    Args:
        home: The connector's home.
        source: The agency's source, a URL.
        contract: The dataset.
        given: The key as a person spells it: for an import store with any blanks, dashes and digits; otherwise exactly.

    Raises:
        InvalidInput: ``person-key-missing``; ``import-people-secret``, when the secret is not the store's.
    """
    if not is_source(home, source, contract):
        return given
    secret = home.secret(PEOPLE_SECRET)
    if store.people_check(home.path / store.FILE) not in (None, check_of(secret)):
        raise InvalidInput("import-people-secret")
    read = read_person(secret, given)
    if not isinstance(read.value, str):
        raise InvalidInput("person-key-missing")
    return read.value
