"""Access tokens that were revoked, until they expire: all processes of the gateway read the same list."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from gateway.store.engine import AnySelect, Store
from gateway.store.prepared import prepared
from gateway.store.revoked_token_tables import revoked_tokens


@dataclass(frozen=True, slots=True)
class RevokedTokenTable:
    """The list in the store."""

    store: Store

    def add(self, jti: str, expires: datetime, now: datetime) -> None:
        """Write a token down as revoked; one that was before stays so. What has expired goes on the way."""
        with self.store.transaction() as t:
            t.run(delete(revoked_tokens).where(revoked_tokens.c.expires_at <= now))
            t.add_new(revoked_tokens, {"jti": jti, "expires_at": expires})

    def all(self, now: datetime) -> frozenset[str]:
        """Every revoked token that has not expired; what has is forgotten on the way."""
        with self.store.read() as r:
            rows = r.all(_all())
        if any(row.expires_at <= now for row in rows):
            with self.store.transaction() as t:
                t.run(delete(revoked_tokens).where(revoked_tokens.c.expires_at <= now))
        return frozenset(row.jti for row in rows if row.expires_at > now)


@prepared
def _all() -> AnySelect:
    return select(revoked_tokens)
