"""The gateway's home: the one folder that holds its keys, its pinned federation, its settings and its database."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose, Member
from contracts.keys import SigningKey, new_key
from keys.folder import KeyFolder
from trust.anchor import pins_root

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
PURPOSES: Final = (KeyPurpose.GATEWAY, KeyPurpose.TOKEN, KeyPurpose.LOG, KeyPurpose.REGISTRY)
"""All that the gateway signs: answers and releases, tokens, checkpoints. It holds no other key."""


@dataclass(frozen=True, slots=True)
class GatewayHome:
    """Where everything of the gateway lies. Nobody but its user may look inside."""

    path: Path

    @property
    def database(self) -> Path:
        """The embedded database."""
        return self.path / "gateway.db"

    @property
    def keys(self) -> KeyFolder:
        """The gateway's private keys."""
        return KeyFolder(self.path)

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.path / "saphan.toml"

    @property
    def public(self) -> Path:
        """The gateway's public keys, to be registered with the federation."""
        return self.path / "public.json"

    def make(self) -> None:
        """Make the folder, closed to others."""
        for folder in (self.path, self.path / "keys"):
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            folder.chmod(PRIVATE_FOLDER)

    def write(self, path: Path, data: bytes) -> None:
        """Write a file that only its owner may read; it is whole or it is not there."""
        part = path.with_name(f"{path.name}.part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    def make_keys(self, operator: str, title: Text, valid_from: datetime, valid_until: datetime) -> Member:
        """Make the gateway's keys, those that it does not have yet, and write their public halves for the federation.

        Args:
            operator: The member that runs the gateway and answers for its keys.
            title: The operator's name.
            valid_from: Since when the keys may sign.
            valid_until: Until when.
        """
        public = []
        for purpose in PURPOSES:
            kid = f"{operator}#{purpose.value}-1"
            if not self.keys.holds(kid):
                self.keys.save(new_key(kid))
            public.append(self.keys.key(kid).public_key(purpose, valid_from, valid_until))
        member = Member(agency=operator, title=title, keys=tuple(public))
        self.write(self.public, member.model_dump_json(indent=2).encode())
        return member

    def key(self, federation: Federation, purpose: KeyPurpose, at: datetime) -> SigningKey:
        """The gateway's newest registered key of a purpose.

        Raises:
            InvalidInput: ``setting-invalid``, when none is registered, the home holds none, or it is another one.
        """
        return self.keys.newest(federation, federation.operator, purpose, at)

    def token_keys(self, federation: Federation, at: datetime) -> tuple[SigningKey, ...]:
        """The gateway's registered token keys that lie here and may sign at that instant or later.

        Raises:
            InvalidInput: ``setting-invalid``, as ``key``.
        """
        newest = self.key(federation, KeyPurpose.TOKEN, at)
        operator = federation.member(federation.operator)
        registered = () if operator is None else operator.keys
        others = [
            each.kid
            for each in registered
            if each.purpose is KeyPurpose.TOKEN and not each.revoked and at < each.valid_until
        ]
        return (newest, *(self.keys.key(kid) for kid in others if kid != newest.kid and self.keys.holds(kid)))

    def federation(self) -> Federation:
        """The pinned keys of all members.

        Raises:
            InvalidInput: ``members-unknown`` when the file is missing or is not a federation; ``root-pinned`` in a home
                whose keys come from the registry.
        """
        if pins_root(self.path):
            raise InvalidInput("root-pinned", what="there is no fixed list of keys")
        try:
            return Federation.model_validate_json((self.path / "federation.json").read_bytes())
        except (OSError, ValidationError) as error:
            raise InvalidInput("members-unknown") from error

    def pin(self, federation: Federation) -> None:
        """Keep a copy of the federation's keys; from then on only these are believed."""
        self.write(self.path / "federation.json", federation.model_dump_json(indent=2).encode())
