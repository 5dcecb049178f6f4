"""Does the database answer, and is it at this program's schema? For a look from outside; nothing is written."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from contracts.errors import Unavailable
from gateway.store.engine import open_engine
from gateway.store.migrate import check


def check_reached(url: str) -> None:
    """Check that a gateway could work with its database.

    Raises:
        Unavailable: ``database-unreachable``; a file that is not there is not made.
        InvalidInput: ``setting-invalid``, for another schema.
    """
    made = make_url(url)
    if made.get_backend_name() == "sqlite" and not Path(made.database or "").is_file():
        raise Unavailable("database-unreachable")
    try:
        check(url)
    except SQLAlchemyError as error:
        raise Unavailable("database-unreachable") from error


def server_clock(url: str) -> datetime | None:
    """The time by the clock of the database's server; none where the database is a file.

    Raises:
        Unavailable: ``database-unreachable``.
    """
    engine = open_engine(url)
    try:
        if engine.dialect.name != "postgresql":
            return None
        with engine.connect() as connection:
            now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
            return now
    except SQLAlchemyError as error:
        raise Unavailable("database-unreachable") from error
    finally:
        engine.dispose()
