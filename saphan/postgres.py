"""A temporary PostgreSQL server from the system's own binaries, for tests and the demonstration.

It listens on a Unix socket only, in a folder that only its own user may enter. PostgreSQL refuses to run as root, so
root starts it as the user ``postgres`` or, where there is none, ``nobody``; no user is created.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

SYSTEM_FOLDERS = Path("/usr/lib/postgresql")
UNPRIVILEGED = ("postgres", "nobody")
NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def find_binaries() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``: on the path, or the newest where Debian puts them."""
    on_path = shutil.which("pg_ctl")
    if on_path is not None and shutil.which("initdb") is not None:
        return Path(on_path).parent
    found = [each for each in SYSTEM_FOLDERS.glob("*/bin") if (each / "pg_ctl").exists() and (each / "initdb").exists()]
    return max(found, key=lambda each: int(each.parent.name), default=None)


class TemporaryPostgres:
    """A server that lives until ``stop``.

    Args:
        directory: Where its data goes; the server's user must be able to enter its parents. Without one, a folder of
            its own in the system's temporary folder, which ``stop`` removes.
        durable: Whether a commit is on disk when it returns; tests do without.
    """

    def __init__(self, directory: Path | None = None, *, durable: bool = False) -> None:
        self._directory = directory
        self._durable = durable
        self._sockets: Path | None = None

    def start(self) -> str:
        """Start the server and give the URL of its database ``postgres``.

        Raises:
            FileNotFoundError: When the system has no PostgreSQL; ask ``find_binaries`` before.
            subprocess.CalledProcessError: When it does not start; its log stands in the folder.
        """
        # Socket paths are limited to about 100 bytes, so sockets live apart from data that may lie deep.
        self._sockets = Path(tempfile.mkdtemp(prefix="saphan-pg-"))
        self._own(self._sockets)
        if not self._data.exists():
            self._data.parent.mkdir(parents=True, exist_ok=True)
            self._own(self._data.parent)
            self._run("initdb", "-D", str(self._data), "-U", "saphan", "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
        settings = [f"unix_socket_directories={self._sockets}", "listen_addresses="]
        settings += [] if self._durable else NOT_DURABLE
        options = " ".join(f"-c {each}" for each in settings)
        log = str(self._data.parent / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", options, "start")
        return f"postgresql+psycopg://saphan@/postgres?host={self._sockets}"

    def stop(self) -> None:
        """Stop the server, without waiting for its clients, and remove what ``start`` put into the temporary folder."""
        if self._sockets is None:
            return
        self._run("pg_ctl", "-D", str(self._data), "-m", "fast", "-w", "stop")
        shutil.rmtree(self._sockets, ignore_errors=True)
        self._sockets = None

    @property
    def _data(self) -> Path:
        parent = self._directory or self._sockets
        if parent is None:
            raise RuntimeError("the server was not started")
        return parent / "data"

    def _own(self, folder: Path) -> None:
        folder.chmod(0o700)
        if (user := _server_user()) is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)

    @staticmethod
    def _run(program: str, *arguments: str) -> None:
        binaries, user = find_binaries(), _server_user()
        if binaries is None:
            raise FileNotFoundError("no PostgreSQL binaries: initdb and pg_ctl")
        subprocess.run(  # noqa: S603  # programs of the system, arguments of our own
            [str(binaries / program), *arguments],
            check=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )


def _server_user() -> pwd.struct_passwd | None:
    """Whom root runs the server as; nobody else needs to change."""
    if os.geteuid() != 0:
        return None
    known = {each.pw_name: each for each in pwd.getpwall()}
    return next(known[name] for name in UNPRIVILEGED if name in known)
