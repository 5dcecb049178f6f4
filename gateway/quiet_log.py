"""Logs without values: what a row or a token holds never stands in a log line."""

import logging
import traceback
from typing import Final

from typing_extensions import override

from contracts.errors import SaphanError

FOREIGN: Final = ("uvicorn.error", "asyncio")
"""Loggers that write whole tracebacks, with the texts of foreign exceptions in them."""


class WithoutTexts(logging.Filter):
    """Leaves of an exception its type and place; its text may hold values."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record that carries an exception."""
        if record.exc_info and record.exc_info[1] is not None:
            record.msg, record.args = "%s", (where_of(record.exc_info[1]),)
            record.exc_info, record.exc_text = None, None
        return True


def where_of(error: BaseException) -> str:
    """The type of an exception and the lines through which it came, innermost last."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} in {places or '-'}"


def what_failed(error: BaseException) -> str:
    """The same, with the codes of an error of ours before it."""
    codes = ",".join(reason.code for reason in error.reasons) if isinstance(error, SaphanError) else ""
    return f"{codes} {where_of(error)}".lstrip()


def silence_values() -> None:
    """Make every logger of this process speak without values."""
    # Authlib writes every token that it issues into its debug log.
    logging.getLogger("authlib").setLevel(logging.INFO)
    for name in FOREIGN:
        logger = logging.getLogger(name)
        if not any(isinstance(each, WithoutTexts) for each in logger.filters):
            logger.addFilter(WithoutTexts())
