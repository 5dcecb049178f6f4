"""What a publication was made by, besides releases and settings: the program's version and its data files.

The version changes when the program does; a data file, such as the declared breaks, is put right without it.
"""

from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import forecasting
from contracts.canonical import digest_of, digest_of_bytes

ENGINE_VERSION: Final = version("saphan")
"""Another version of the program may say something else of the same releases."""

DATA: Final = ("*.toml", "*.csv")
FORECASTING: Final = Path(next(iter(forecasting.__path__)))
ID_LETTERS: Final = 32


def named(name: str, *parts: str) -> str:
    """The identifier of a publication: its name, and a digest of what it was made from and by.

    Args:
        name: Up to 31 characters.
        parts: Digests of releases, and settings.
    """
    made_of = digest_of([name, *parts, ENGINE_VERSION, data_digest(FORECASTING)])
    return f"{name}-{made_of.removeprefix('sha-256:')[:ID_LETTERS]}"


@lru_cache(maxsize=4)
def data_digest(folder: Path) -> str:
    """The digest of every data file of a folder, as it is when it is first asked for."""
    files = sorted(path for pattern in DATA for path in folder.rglob(pattern))
    return digest_of([[path.relative_to(folder).as_posix(), digest_of_bytes(path.read_bytes())] for path in files])
