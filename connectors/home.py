"""A connector's home: the one folder that holds its keys, its pinned federation, its databases and its contracts."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from contracts.errors import IntegrityError, InvalidInput
from contracts.federation import Federation, Member
from contracts.keys import SigningKey, SoftwareKey
from keys.folder import KeyFolder
from policies.rules import FILES, Rules, digest, installed, rules_of
from trust.anchor import pins_root

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything of one connector lies. Nobody but its user may look inside."""

    path: Path

    @property
    def journal(self) -> Path:
        """The agency's own record of what was approved, charged and sent."""
        return self.path / "journal.db"

    @property
    def snapshot(self) -> Path:
        """The ranked snapshot of the agency's source."""
        return self.path / "snapshot.duckdb"

    @property
    def contracts(self) -> Path:
        """The agency's dataset contracts, as ODCS files."""
        return self.path / "contracts"

    @property
    def policies(self) -> Path:
        """The agency's own copy of the rules by which its connector decides."""
        return self.path / "policies"

    @property
    def policies_digest(self) -> Path:
        """The digest of that copy as it was pinned."""
        return self.path / "policies.digest"

    @property
    def keys(self) -> KeyFolder:
        """The agency's private keys."""
        return KeyFolder(self.path)

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.path / "saphan.toml"

    @property
    def public(self) -> Path:
        """The agency's public keys, to be handed to the federation."""
        return self.path / "public.json"

    def make(self) -> None:
        """Make the folder and its subfolders, closed to others."""
        for folder in (self.path, self.path / "keys", self.contracts):
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

    def save_key(self, key: SoftwareKey) -> None:
        """Keep a private key."""
        self.keys.save(key)

    def key(self, kid: str) -> SigningKey:
        """A private key of the agency.

        Raises:
            InvalidInput: ``setting-invalid`` when the home does not hold it, ``key-not-opened``.
        """
        return self.keys.key(kid)

    def secret(self, name: str) -> bytes:
        """A random secret of 256 bits, made at its first use."""
        path = self.path / f"{name}.secret"
        if not path.is_file():
            self.write(path, secrets.token_bytes(SECRET_BYTES))
        return path.read_bytes()

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

    def pin_policies(self, texts: Mapping[str, str]) -> None:
        """Keep a copy of the rules and its digest; from then on the connector decides by these alone.

        Raises:
            Refused: ``policy-error`` when nothing can be decided by them; nothing is changed then.
        """
        pinned = rules_of(texts).digest
        self.policies.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        for name in FILES:
            self.write(self.policies / name, texts[name].encode())
        # Last: a copy that was written in part does not fit it.
        self.write(self.policies_digest, pinned.encode())

    def policy_texts(self) -> dict[str, str]:
        """The texts that lie in the home, pinned or edited since.

        Raises:
            IntegrityError: ``policies-altered`` when one is missing or cannot be read.
        """
        try:
            return {name: (self.policies / name).read_text(encoding="utf-8") for name in FILES}
        except (OSError, UnicodeDecodeError) as error:
            raise IntegrityError("policies-altered") from error

    def rules(self) -> Rules:
        """The pinned rules, or those of this program in a home that pins none.

        A text that lost its end can still be read, and may permit what the whole of it forbids: only what was pinned,
        letter by letter, decides.

        Raises:
            IntegrityError: ``policies-altered`` when the texts are not those that were pinned.
            Refused: ``policy-error`` when this program can decide nothing by them.
        """
        if not self.policies.exists() and not self.policies_digest.exists():
            return installed()
        texts = self.policy_texts()
        if digest(texts) != self._pinned_digest():
            raise IntegrityError("policies-altered")
        return rules_of(texts)

    def _pinned_digest(self) -> str:
        try:
            return self.policies_digest.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise IntegrityError("policies-altered") from error

    def publish_keys(self, member: Member) -> None:
        """Write the public keys for the federation's operator to collect."""
        self.write(self.public, member.model_dump_json(indent=2).encode())
