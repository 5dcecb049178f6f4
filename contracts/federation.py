"""The federation: its members, their keys and what each key may sign. Every program has its own pinned copy."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, Literal, Self

from pydantic import AwareDatetime, Field, model_validator
from typing_extensions import override

from contracts.dataset import Text
from contracts.identifiers import AgencyId, KeyId
from contracts.values import Value

P256: Final = "P-256"
ED25519: Final = "Ed25519"


class KeyPurpose(StrEnum):
    """What a key may sign; a key of one purpose signs nothing else."""

    CLIENT = "client"
    CONNECTOR = "connector"
    OFFICER = "officer"
    STEWARD = "steward"
    DPO = "dpo"
    GATEWAY = "gateway"
    TOKEN = "token"  # noqa: S105  # a purpose, not a secret
    LOG = "log"
    WITNESS = "witness"
    ROOT = "root"
    REGISTRAR = "registrar"
    REGISTRY = "registry"


class PublicKey(Value):
    """A member's public key (JWK members ``crv``, ``x`` and ``y``, base64url) and when it may sign.

    A key of the log or of a witness is Ed25519 and has no ``y``; every other is P-256.
    """

    kid: KeyId
    purpose: KeyPurpose
    crv: Literal["P-256", "Ed25519"] = P256
    x: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")
    y: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{43}$")
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    revoked: bool = False

    @model_validator(mode="after")
    def _is_a_point(self) -> Self:
        if (self.y is None) != (self.crv == ED25519):
            raise ValueError("a P-256 key has x and y, an Ed25519 key x alone")
        return self

    def is_valid(self, at: datetime) -> bool:
        """Whether it may sign at that instant."""
        start, end = self.span
        return not self.revoked and start <= at < end

    @cached_property
    def span(self) -> tuple[datetime, datetime]:
        """From when and until before when it may sign, in Python's own UTC, so that comparing asks no time zone."""
        return self.valid_from.astimezone(UTC), self.valid_until.astimezone(UTC)

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, whose span is its own: what this one remembers of its instants stays behind."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("span", None)
        return copied

    def as_jwk(self) -> dict[str, str]:
        """The key as a JWK with its ``kid``."""
        if self.y is None:
            return {"kty": "OKP", "crv": self.crv, "x": self.x, "kid": self.kid, "alg": ED25519}
        return {"kty": "EC", "crv": self.crv, "x": self.x, "y": self.y, "kid": self.kid, "alg": "ES256"}


class Member(Value):
    """An agency of the federation, or the gateway's operator."""

    agency: AgencyId
    title: Text
    keys: tuple[PublicKey, ...]


class Federation(Value):
    """Everybody's public keys. ``gateway`` is the issuer identifier; ``operator`` the member that runs it."""

    gateway: str
    operator: AgencyId
    members: tuple[Member, ...]

    def member(self, agency: str) -> Member | None:
        """The member of that name."""
        return next((each for each in self.members if each.agency == agency), None)

    def key(self, kid: str, purpose: KeyPurpose, at: datetime) -> PublicKey | None:
        """The key of that name if it may sign for ``purpose`` at that instant; its owner stands before the ``#``."""
        for key in self._named.get(kid, ()):
            if key.purpose is purpose and key.is_valid(at):
                return key
        return None

    @cached_property
    def _named(self) -> Mapping[str, Sequence[PublicKey]]:
        """The keys of each name, of the member that stands before its ``#``: one under another's name is none."""
        named: dict[str, list[PublicKey]] = {}
        # Of two members of one name the first is meant, as in ``member``.
        for member in {each.agency: each for each in reversed(self.members)}.values():
            for key in member.keys:
                if key.kid.partition("#")[0] == member.agency:
                    named.setdefault(key.kid, []).append(key)
        return named

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, which finds keys among its own members: what this one remembers of its members stays behind."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_named", None)
        return copied

    def signing(self, agency: str, at: datetime) -> frozenset[str]:
        """The names of a member's keys that may sign at that instant, whatever for; it changes with the clock, too."""
        member = self.member(agency)
        return frozenset(key.kid for key in (member.keys if member else ()) if key.is_valid(at))

    def keys_of(self, agency: str, purpose: KeyPurpose, at: datetime) -> tuple[PublicKey, ...]:
        """Every key of a member that may sign for ``purpose`` at that instant."""
        member = self.member(agency)
        return tuple(k for k in (member.keys if member else ()) if k.purpose is purpose and k.is_valid(at))
