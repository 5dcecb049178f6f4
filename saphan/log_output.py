"""Where the logs of the programs go: one line for each record, on standard error."""

import logging
from typing import Final

from contracts.log_lines import LineFormatter

TALKATIVE: Final = ("httpx2", "httpcore2", "uvicorn", "tuf")
"""Libraries that write a line for every call, or for each officer who need not have signed; of them only what is wrong
is of interest."""


def log_to_stderr(level: int = logging.INFO) -> None:
    """Write every record from ``level`` on."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=level, handlers=[handler])
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
