"""The federation: its members, their keys and what each key may sign. Every program has its own pinned copy."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, Field

from contracts.dataset import Text
from contracts.identifiers import AgencyId, KeyId
from contracts.values import Value


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


class PublicKey(Value):
    """A member's public P-256 key (JWK members ``x`` and ``y``, base64url) and when it may sign."""

    kid: KeyId
    purpose: KeyPurpose
    x: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")
    y: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    revoked: bool = False

    def is_valid(self, at: datetime) -> bool:
        """Whether it may sign at that instant."""
        return not self.revoked and self.valid_from <= at < self.valid_until

    def as_jwk(self) -> dict[str, str]:
        """The key as a JWK with its ``kid``."""
        return {"kty": "EC", "crv": "P-256", "x": self.x, "y": self.y, "kid": self.kid, "alg": "ES256"}


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
        member = self.member(kid.partition("#")[0])
        keys = member.keys if member else ()
        return next((k for k in keys if k.kid == kid and k.purpose is purpose and k.is_valid(at)), None)

    def keys_of(self, agency: str, purpose: KeyPurpose, at: datetime) -> tuple[PublicKey, ...]:
        """Every key of a member that may sign for ``purpose`` at that instant."""
        member = self.member(agency)
        return tuple(k for k in (member.keys if member else ()) if k.purpose is purpose and k.is_valid(at))
