"""What the catalogue reads beside the registry: when contracts were published, and when an agreement was concluded."""

from datetime import datetime

from sqlalchemy import select

from contracts.dataset import DatasetContract
from contracts.lifecycle import Act, AgreementAct
from gateway.store.agreement_tables import agreement_acts
from gateway.store.engine import Reading
from gateway.store.tables import contracts


def contracts_with_instants(r: Reading) -> tuple[tuple[DatasetContract, datetime], ...]:
    """Every published contract with the instant of its publication, oldest first."""
    wanted = select(contracts.c.terms, contracts.c.published_at)
    rows = r.all(wanted.order_by(contracts.c.published_at, contracts.c.digest))
    return tuple((DatasetContract.model_validate_json(row.terms), row.published_at) for row in rows)


def concluded_at(r: Reading, digest: str) -> datetime | None:
    """When the requester countersigned this text of an agreement; none while that has not happened."""
    wanted = select(agreement_acts.c.act, agreement_acts.c.at).where(agreement_acts.c.digest == digest)
    rows = r.all(wanted.order_by(agreement_acts.c.place))
    return next((row.at for row in rows if AgreementAct.model_validate_json(row.act).act is Act.SIGN), None)
