"""The whole schema: importing this imports every module that defines tables, so that the metadata has them all."""

from types import ModuleType
from typing import Final

from sqlalchemy import MetaData

from gateway.store import (
    agreement_tables,
    contract_life_tables,
    idempotency_tables,
    log_tables,
    notice_tables,
    people_tables,
    personal_data_tables,
    publication_tables,
    revoked_token_tables,
    series_tables,
    tables,
    trust_tables,
)

MODULES: Final[tuple[ModuleType, ...]] = (
    tables,
    agreement_tables,
    contract_life_tables,
    idempotency_tables,
    log_tables,
    notice_tables,
    people_tables,
    personal_data_tables,
    publication_tables,
    revoked_token_tables,
    series_tables,
    trust_tables,
)


def whole() -> MetaData:
    """The metadata with the tables of every module."""
    return tables.metadata
