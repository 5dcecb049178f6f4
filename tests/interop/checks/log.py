"""Go's sumdb/tlog and note, aics-tlog and aics-witness judge our log: what is right is found right, the rest refused.

The log is written by the gateway's store and exported as ``saphan audit export`` does; each forgery is one that only
the program can find.
"""

import os
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from socket import create_server
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from contracts.checkpoints import (
    cosign,
    log_keys,
    log_verifier_keys,
    read_checkpoint,
    sign_checkpoint,
    witness_verifier_keys,
)
from contracts.dataset import Text
from contracts.federation import Federation, KeyPurpose, Member
from contracts.keys import SigningKey, new_key
from contracts.note import is_signed, read_signature
from contracts.tiles import ENTRIES, Tile, from_bundle
from contracts.transparency import Checkpoint
from gateway.log_folder import LogFolder
from gateway.store import log
from gateway.store.engine import Store
from gateway.store.migrate import upgrade
from tests.fake_log import entries
from tests.interop.environments import ENVIRONMENTS, HERE, interpreter, python_environment, say

OLD, SIZE, INDEX = 300, 700, 300
SPAN: Final = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Exported:
    """An exported log, the checkpoint that was kept before it grew, and what proves its growth."""

    folder: LogFolder
    old: Path
    growth: tuple[str, ...]
    key: SigningKey
    federation: Federation


def check() -> int:
    """0 if every program finds the log right and every forgery wrong."""
    with tempfile.TemporaryDirectory() as folder:
        exported = _export(Path(folder))
        return max(_go(exported), _aics(exported), _witness(exported))


def _export(folder: Path) -> Exported:
    key, witness = new_key("oja#log-1"), new_key("ccib#witness-1")
    federation = Federation(
        gateway="https://gateway.example",
        operator="oja",
        members=(_member("oja", key, KeyPurpose.LOG), _member("ccib", witness, KeyPurpose.WITNESS)),
    )
    url = f"sqlite:///{folder / 'gateway.db'}"
    upgrade(url)
    store = Store(url)
    texts = [each.decode() for each in entries(SIZE)]
    with store.transaction() as t:
        log.append_entries(t, texts[:OLD])
        old = sign_checkpoint(Checkpoint(origin="gateway.example", size=OLD, root=log.head(t).root), key)
        log.append_entries(t, texts[OLD:])
    with store.read() as r:
        document = sign_checkpoint(Checkpoint(origin="gateway.example", size=SIZE, root=log.head(r).root), key)
        document += cosign(document, witness, datetime.now(UTC))

        def fetch(tile: Tile) -> bytes:
            return log.tile(r, tile) or b""

        export = LogFolder(folder / "export")
        export.path.mkdir()
        export.take(document, fetch, log_keys(federation), federation)
        growth = log.growth_path(r, OLD, SIZE)
    store.close()
    (folder / "old").write_text(old, encoding="utf-8")
    return Exported(export, folder / "old", growth, key, federation)


def _member(agency: str, key: SigningKey, purpose: KeyPurpose) -> Member:
    return Member(agency=agency, title=Text(th=agency, en=agency), keys=(key.public_key(purpose, *SPAN),))


# ------------------------------------------------------------------ forgeries
def _bent(exported: Exported, path: str, edit: Callable[[bytes], bytes]) -> LogFolder:
    """A copy of the exported log with one file changed."""
    copy = LogFolder(exported.folder.path.with_name("bent"))
    shutil.rmtree(copy.path, ignore_errors=True)
    shutil.copytree(exported.folder.path, copy.path)
    place = copy.path / path
    place.write_bytes(edit(place.read_bytes()))
    return copy


def _forgeries(exported: Exported) -> Iterator[tuple[str, LogFolder]]:
    tile, bundle = Tile(0, INDEX // 256, 256), Tile(ENTRIES, INDEX // 256, 256)
    wanted = b"REQ-%04d" % INDEX
    yield "a changed entry", _bent(exported, bundle.path, lambda data: data.replace(wanted, b"REQ-00000"))
    yield "a changed hash", _bent(exported, tile.path, lambda data: bytes(32) + data[32:])
    yield "another size", _bent(exported, "checkpoint", lambda data: data.replace(b"\n700\n", b"\n701\n"))
    claim = read_checkpoint(exported.folder.checkpoint()).model_copy(update={"root": "0" * 64})
    signed = sign_checkpoint(claim, exported.key).encode()
    yield "a signed root of another tree", _bent(exported, "checkpoint", lambda _: signed)


def _judge(tool: str, version: str, exported: Exported, is_right: Callable[[LogFolder], bool]) -> int:
    """One line for each tool: the log is right, and each forgery is not."""
    if not is_right(exported.folder):
        say(tool, version, "our log is refused")
        return 1
    missed = [name for name, folder in _forgeries(exported) if is_right(folder)]
    say(tool, version, f"not noticed: {', '.join(missed)}" if missed else "our log verifies, 4 forgeries are refused")
    return int(bool(missed))


# ------------------------------------------------------------------ the programs
def _go(exported: Exported) -> int:
    go = python_environment("go") / "go"
    own = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOCACHE": str(ENVIRONMENTS / "go-cache")}
    environment = {**os.environ, **own}
    program = ENVIRONMENTS / "go-log"
    subprocess.run([str(go), "build", "-o", str(program), "."], cwd=HERE / "log", env=environment, check=True)
    version = subprocess.run([str(go), "version"], check=True, capture_output=True, text=True).stdout.split()[2]

    def is_right(folder: LogFolder) -> bool:
        return _succeeds([str(program), str(folder.path), str(exported.old), str(INDEX)])

    return _judge("Go sumdb/tlog and note", version, exported, is_right)


def _aics(exported: Exported) -> int:
    program = python_environment("tlog", interpreter("3.13")) / "aics-tlog"
    version = subprocess.run([str(program), "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    keys = log_keys(exported.federation)
    (vkey,), (witness,) = log_verifier_keys(keys), witness_verifier_keys(keys)
    trusted = ["--log-key", vkey, "--origin", keys.origin]

    def is_right(folder: LogFolder) -> bool:
        checkpoint, leaf = folder.path / "checkpoint", folder.path.with_name("leaf")
        leaf.write_bytes(from_bundle(folder.fetch(Tile(ENTRIES, INDEX // 256, 256)))[INDEX % 256])
        tiles = ["--tiles", str(folder.path), "--checkpoint", str(checkpoint), *trusted]
        quorum = ["--witness-key", witness, "--quorum", "1", "--max-age", "3600"]
        return all(
            _succeeds([str(program), *command])
            for command in (
                ["verify-checkpoint", "--note", str(checkpoint), *trusted, *quorum],
                ["verify-inclusion", "--leaf", str(leaf), "--index", str(INDEX), *tiles],
                ["verify-consistency", "--old-checkpoint", str(exported.old), *tiles],
            )
        )

    return _judge("aics-tlog", version, exported, is_right)


def _witness(exported: Exported) -> int:
    program = python_environment("tlog", interpreter("3.13")) / "aics-witness"
    version = subprocess.run([str(program), "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    new, old = exported.folder.checkpoint(), exported.old.read_text(encoding="utf-8")
    with _served_witness(program, exported) as (address, witness):
        first = _add(address, 0, (), old)
        second = _add(address, OLD, exported.growth, new)
        bent = _add(address, SIZE, (), sign_checkpoint(_other(new), exported.key))
        back = _add(address, OLD, (), old)
    cosigned = all(_cosigned(line, document, witness) for line, document in ((first, old), (second, new)))
    is_right = cosigned and bent.isdigit() and back.isdigit()
    say("aics-witness", version, "cosigns our checkpoints, refuses a fork and a rollback" if is_right else "disagrees")
    return int(not is_right)


@contextmanager
def _served_witness(program: Path, exported: Exported) -> Iterator[tuple[str, str]]:
    """A witness that trusts our log: its address and its key."""
    folder = exported.folder.path.with_name("witness")
    folder.mkdir()
    config = ["--config", str(folder / "witness.json")]
    keys = log_keys(exported.federation)
    subprocess.run([str(program), "init", *config, "--name", "witness.example/w1"], check=True, capture_output=True)
    (vkey,) = log_verifier_keys(keys)
    subprocess.run(
        [str(program), "add-log", *config, "--origin", keys.origin, "--vkey", vkey], check=True, capture_output=True
    )
    status = subprocess.run([str(program), "status", *config], check=True, capture_output=True, text=True).stdout
    witness = next(word.strip('",') for word in status.split() if word.strip('",').startswith("witness.example/w1+"))
    with create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = subprocess.Popen(
        [str(program), "serve", *config, "--listen", f"127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}/add-checkpoint", witness
    finally:
        server.terminate()
        server.wait(SECONDS)


def _wait_for(address: str) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            urlopen(address, timeout=1)  # noqa: S310  # on this machine
        except HTTPError:
            return
        except URLError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("aics-witness does not start")


def _add(address: str, old: int, proof: Sequence[str], checkpoint: str) -> str:
    """Hand a checkpoint to the witness (C2SP tlog-witness): its signature line, or the status that refuses."""
    lines = [f"old {old}", *(b64encode(bytes.fromhex(each)).decode() for each in proof), ""]
    body = "".join(f"{line}\n" for line in lines) + checkpoint
    try:
        with urlopen(Request(address, body.encode(), method="POST"), timeout=SECONDS) as answer:  # noqa: S310  # on this machine
            return str(answer.read().decode())
    except HTTPError as error:
        return str(error.code)


def _other(document: str) -> Checkpoint:
    return read_checkpoint(document).model_copy(update={"root": "0" * 64})


def _cosigned(line: str, document: str, vkey: str) -> bool:
    """Whether the witness's line is its signature over this checkpoint, by our own reading of the specification."""
    if line.isdigit():
        return False
    signature, text = read_signature(line), document.partition("\n\n")[0] + "\n"
    seconds = int.from_bytes(signature.value[:8], "big")
    public = b64decode(vkey.split("+", 2)[2])[1:]
    return is_signed(public, f"cosignature/v1\ntime {seconds}\n{text}".encode(), signature.value[8:])


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
