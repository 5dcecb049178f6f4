"""What every step of the exchange works with: store, keys, members, clock, randomness."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from contracts.federation import Federation
from contracts.keys import SigningKey
from contracts.protocol import SPOKEN
from gateway.crash import Crash, never
from gateway.store.engine import Store


@dataclass(frozen=True, slots=True)
class ExchangeKeys:
    """The gateway's own keys; it holds no other member's."""

    gateway: SigningKey
    tokens: tuple[SigningKey, ...]
    """Several while one replaces another; see ``gateway.identity.token_keys``."""

    log: SigningKey


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """``issuer`` names this gateway in tokens, requests and checkpoints.

    Results and refusals leave on a tick of ``tick_seconds``; a connector that leased a task and went silent loses it
    after ``lease_seconds``. ``speaks`` are the versions of the protocol between gateway and connectors.
    """

    issuer: str
    tick_seconds: float = 1.0
    lease_seconds: float = 30.0
    speaks: tuple[int, ...] = SPOKEN


@dataclass(frozen=True, slots=True)
class Means:
    """The surroundings of a step. ``clock`` gives aware UTC; ``entropy`` that many random bytes."""

    store: Store
    keys: ExchangeKeys
    federation: Federation
    clock: Callable[[], datetime]
    settings: ExchangeSettings
    crash: Crash = never
    entropy: Callable[[int], bytes] = secrets.token_bytes
