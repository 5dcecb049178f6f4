"""A gateway's database with all migrations, made once for each process of the tests and copied from then on."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.store.migrate import upgrade


@cache
def migrated_bytes() -> bytes:
    """The file of an SQLite database that is migrated and holds nothing."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "gateway.db"
        upgrade(f"sqlite:///{path}")
        return path.read_bytes()


def write_migrated(path: Path) -> None:
    """Write that file, readable to its owner alone as the gateway makes it."""
    path.write_bytes(migrated_bytes())
    path.chmod(0o600)
