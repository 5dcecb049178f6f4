"""The centre's home: its keys, its pinned federation, its settings, and what it has asked."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, Field, ValidationError

from contracts.canonical import canonical_bytes
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.federation import Federation, KeyPurpose, Member
from contracts.identifiers import Identifier
from contracts.keys import SigningKey, new_key
from contracts.periods import Period
from contracts.request import Request
from contracts.values import Value
from gateway.home import GatewayHome
from keys.folder import KeyFolder

KEYS: Final = ((KeyPurpose.CLIENT, 1), (KeyPurpose.OFFICER, 1), (KeyPurpose.OFFICER, 2), (KeyPurpose.REGISTRAR, 1))
"""The centre asks with its client key; its first officer drafts agreements, its second signs them.

Its registrar signs the member's keys into the trust registry: those of the gateway, too, which must not do it itself.
"""

OUT: Final = ".json"
PRIVATE_FOLDER: Final = 0o700

log = logging.getLogger("saphan.centre")

KEYS_LAST: Final = timedelta(days=730)


class Span(Value):
    """Months that are asked at once, or were: of one activity, under one revision of its series."""

    activity: Identifier
    revision: int = Field(ge=0, le=99)
    period: Period


class Out(Value):
    """A request that was sent and whose answer is not known yet."""

    span: Span
    request: Request


class Revision(Value):
    """Closed months that are to be asked anew, since the agency corrected them, and why."""

    span: Span
    reason: str = Field(min_length=3, max_length=500)
    declared: AwareDatetime


class Asked(Value):
    """What the centre must not forget: a lost file costs nothing, for the gateway knows what was answered.

    ``out`` are requests under way, sent again after a restart; ``lost`` spans that were charged or taken and will never
    be answered; ``revisions`` what was declared, the oldest first.
    """

    out: tuple[Out, ...] = ()
    lost: tuple[Span, ...] = ()
    revisions: tuple[Revision, ...] = ()


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the centre says when it is set up: for whom and where it asks, and under which agreement."""

    agency: str
    title: Text
    gateway: str
    agreement: str


@dataclass(frozen=True, slots=True)
class CentreHome:
    """Where everything of the centre lies. Nobody but its user may look inside."""

    path: Path

    @property
    def folder(self) -> GatewayHome:
        """The same folder, for writing files that are private and whole."""
        return GatewayHome(self.path)

    @property
    def keys(self) -> KeyFolder:
        """The centre's private keys."""
        return self.folder.keys

    @property
    def _asked(self) -> Path:
        return self.path / "asked.json"

    def enrol(self, enrolment: Enrolment, now: datetime) -> Member:
        """Make the home with fresh keys and settings; never over an existing one.

        Returns:
            The centre's public keys, as they also lie in ``public.json`` for the federation.

        Raises:
            InvalidInput: ``folder-in-use`` for a home that holds keys.
        """
        if self.keys.holds(_kid(KeyPurpose.CLIENT, enrolment.agency)):
            raise InvalidInput("folder-in-use")
        self.folder.make()
        keys = []
        for purpose, number in KEYS:
            key = new_key(_kid(purpose, enrolment.agency, number))
            self.keys.save(key)
            keys.append(key.public_key(purpose, now, now + KEYS_LAST))
        settings = {"agency": enrolment.agency, "gateway": enrolment.gateway, "agreement": enrolment.agreement}
        # A JSON string is a TOML basic string.
        lines = [f"{name} = {canonical_bytes(value).decode()}\n" for name, value in settings.items()]
        self.folder.write(self.folder.settings, "".join(lines).encode())
        member = Member(agency=enrolment.agency, title=enrolment.title, keys=tuple(keys))
        self.folder.write(self.folder.public, member.model_dump_json(indent=2).encode())
        return member

    def key(self, agency: str, purpose: KeyPurpose = KeyPurpose.CLIENT, number: int = 1) -> SigningKey:
        """A private key of the centre.

        Raises:
            InvalidInput: ``setting-invalid`` when the home does not hold it.
        """
        return self.keys.key(_kid(purpose, agency, number))

    def federation(self) -> Federation:
        """The pinned keys of all members.

        Raises:
            InvalidInput: ``setting-invalid``.
        """
        return self.folder.federation()

    def asked(self) -> Asked:
        """What was asked and is not answered; nothing where that is not known, for asking again is free of charge."""
        sent = sorted(self._out.glob(f"*{OUT}"))
        return self._kept().model_copy(update={"out": tuple(each for path in sent if (each := _out_in(path)))})

    def out(self, span: Span) -> Request | None:
        """The request under way of a span."""
        found = _out_in(self._out_file(span))
        return found.request if found else None

    def sending(self, span: Span, request: Request) -> None:
        """Note a request before it is sent: after a crash the very same one goes out again, and is charged once."""
        self._out.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        self.folder.write(self._out_file(span), Out(span=span, request=request).model_dump_json(by_alias=True).encode())

    def settled(self, span: Span, *, lost: bool = False) -> None:
        """A request has ended; ``lost`` when its months can never be answered under this revision."""
        kept = self._kept()
        if lost and span not in kept.lost:
            self._keep(kept, lost=(*kept.lost, span))
        self._out_file(span).unlink(missing_ok=True)

    def declare(self, revision: Revision) -> None:
        """Note that closed months are to be asked anew."""
        kept = self._kept()
        self._keep(kept, revisions=(*kept.revisions, revision))

    @property
    def _out(self) -> Path:
        return self.path / "out"

    def _out_file(self, span: Span) -> Path:
        months = span.period.months()
        return self._out / f"{span.activity}~{span.revision}~{months[0]}~{months[-1]}{OUT}"

    def _kept(self) -> Asked:
        try:
            return Asked.model_validate_json(self._asked.read_bytes())
        except OSError:
            return Asked()
        except ValidationError:
            log.warning("what the centre kept cannot be read: lost months and declared revisions are forgotten")
            return Asked()

    def _keep(self, kept: Asked, **changes: object) -> None:
        changed = kept.model_copy(update=changes)
        self.folder.write(self._asked, changed.model_dump_json(by_alias=True, exclude={"out"}).encode())


def _out_in(path: Path) -> Out | None:
    try:
        return Out.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _kid(purpose: KeyPurpose, agency: str, number: int = 1) -> str:
    return f"{agency}#{purpose.value}-{number}"
