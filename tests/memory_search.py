"""Looks for private keys where none may be: in the readable memory of a running process, and in files."""

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from contracts.keys import SoftwareKey

SCALAR_BYTES = 32
CHUNK = 16 * 2**20
PREFIX = 4
LONGEST = 256
"""No form of a key is longer."""


def forms_of(key: SoftwareKey) -> dict[str, bytes]:
    """Every form in which a private key may lie about: its number, and its encodings as text."""
    private = key.private
    if isinstance(private, ec.EllipticCurvePrivateKey):
        scalar = private.private_numbers().private_value.to_bytes(SCALAR_BYTES, "big")
    else:
        scalar = private.private_bytes_raw()
    pem = key.to_pem()
    plain = b"".join(pem.splitlines()[1:-1])
    der = base64.b64decode(plain)
    forms = {
        "big-endian": scalar,
        "little-endian": scalar[::-1],
        "hex": scalar.hex().encode(),
        "HEX": scalar.hex().upper().encode(),
        "base64": base64.b64encode(scalar).rstrip(b"="),
        "base64url": base64.urlsafe_b64encode(scalar).rstrip(b"="),
        "DER": der,
        # Of each line of the PEM, the one that the scalar stands in: shorter than the file, and as telling.
        "PEM": plain[44:64],
    }
    if isinstance(private, ec.EllipticCurvePrivateKey):
        forms["decimal"] = str(int.from_bytes(scalar, "big")).encode()
        forms["SEC 1"] = private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    return forms


def wanted(keys: Iterable[SoftwareKey]) -> dict[str, bytes]:
    """What to look for, each under the key and the form that it is."""
    return {f"{key.kid} {name}": form for key in keys for name, form in forms_of(key).items()}


def in_memory(pid: int, needles: Mapping[str, bytes]) -> tuple[set[str], int]:
    """Which needles lie in the readable regions of a process, and how many bytes were looked at."""
    found: set[str] = set()
    looked = 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end in _regions(pid):
            tail = b""
            for place in range(start, end, CHUNK):
                try:
                    memory.seek(place)
                    part = memory.read(min(CHUNK, end - place))
                except (OSError, ValueError):  # a region that went away, or that no process may read
                    break
                looked += len(part)
                found |= _in(tail + part, needles)
                tail = part[-LONGEST:]
    return found, looked


def in_files(paths: Iterable[Path], needles: Mapping[str, bytes]) -> set[str]:
    """Which needles stand in files."""
    return {name for path in paths for name in _in(path.read_bytes(), needles)}


def _in(data: bytes, needles: Mapping[str, bytes]) -> set[str]:
    """Which needles stand in the data: one pass for all of them by how they begin, then each in full."""
    if len(data) < PREFIX:
        return set()
    begins = np.zeros(65_536, bool)
    by_prefix: dict[bytes, list[str]] = {}
    for name, needle in needles.items():
        by_prefix.setdefault(needle[:PREFIX], []).append(name)
        begins[int.from_bytes(needle[:2], "little")] = True
    places: list[int] = []
    for first in (0, 1):
        pairs = np.frombuffer(data, "<u2", (len(data) - first) // 2, first)
        places += (np.flatnonzero(begins[pairs]) * 2 + first).tolist()
    return {
        name
        for place in places
        for name in by_prefix.get(data[place : place + PREFIX], ())
        if data.startswith(needles[name], place)
    }


def _regions(pid: int) -> list[tuple[int, int]]:
    """Every readable region but those that only show a file: what is mapped read-only is what the file says."""
    lines = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    readable = [parts for parts in lines if parts[1].startswith("r") and parts[-1] not in {"[vvar]", "[vsyscall]"}]
    own = [parts for parts in readable if "w" in parts[1] or not parts[-1].startswith("/")]
    spans = [parts[0].partition("-") for parts in own]
    return [(int(start, 16), int(end, 16)) for start, _, end in spans]
