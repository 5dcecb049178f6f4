"""``saphan agreement``: from draft and proposal over approval and signature to suspension and revocation.

Each act is signed by one person's key from the home and names what it was based on. Which key: the drafter's for what
it drafted; of who must not have drafted it, the first that did not; ``--key`` says otherwise.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError

from contracts.agreement import Agreement
from contracts.agreement_acts import AgreementHistory, check_history
from contracts.errors import InvalidInput
from contracts.federation import KeyPurpose
from contracts.keys import SigningKey
from contracts.lifecycle import NEEDS_REASON, Act, Because
from contracts.views import AgreementView
from gateway import agreement_calls
from gateway.agreement_calls import Words
from gateway.client import Gateway
from saphan.agreement_tables import agreement_table, agreements_table, history_table
from saphan.believed_keys import CopysTime, RegistryCopyOption, RootOption, believed_copy, time_of
from saphan.client_commands import HomeOption, connected
from saphan.client_settings import MemberHome, load_client_settings
from saphan.given_files import given_bytes
from saphan.letter_commands import letter_command
from saphan.output import AsJson, show, show_all, told_errors

app = typer.Typer(no_args_is_help=True, help="Who may ask what, signed by all parties.")
app.command("letter")(letter_command)

Name = Annotated[str, typer.Argument(metavar="AGREEMENT", help="The agreement's identifier.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The version as JSON.")]
Version = Annotated[int | None, typer.Option("--version", help="The version; the newest, or the one in force.")]
KeyName = Annotated[str | None, typer.Option("--key", help="The key that signs, such as ccib#officer-2.")]
Why = Annotated[Because | None, typer.Option("--because", help="Why, in one of these words; everybody can read it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in own words; the members can read it.")]

NOT_BY_DRAFTERS: Final = frozenset({Act.ACCEPT, Act.APPROVE, Act.SIGN})
_histories: TypeAdapter[list[AgreementHistory]] = TypeAdapter(list[AgreementHistory])


class Who(StrEnum):
    """Which of a provider's two people approves."""

    OFFICER = "officer"
    DPO = "dpo"


@app.command("draft")
def draft_command(file: File, key: KeyName = None, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """Leave a draft at the gateway, which only the own agency sees; a newer draft takes its place."""
    _put_forward(file, Act.DRAFT, key, home, as_json=as_json)


@app.command("propose")
def propose_command(
    what: Annotated[str, typer.Argument(metavar="FILE|AGREEMENT", help="A file, or a draft that lies there.")],
    key: KeyName = None,
    home: HomeOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Submit a version, or an amendment, to the agencies that hold the data."""
    if Path(what).is_file():
        _put_forward(Path(what), Act.SUBMIT, key, home, as_json=as_json)
    else:
        _act(what, Act.SUBMIT, home, as_json=as_json, key=key)


@app.command("counter")
def counter_command(file: File, key: KeyName = None, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """Answer a proposal with another version, as an agency that holds data; it supersedes what it answers."""
    _put_forward(file, Act.COUNTER, key, home, as_json=as_json)


@app.command("review")
def review_command(
    name: Name, version: Version = None, key: KeyName = None, home: HomeOption = None, *, as_json: AsJson = False
) -> None:
    """Take a proposal up for review."""
    _act(name, Act.REVIEW, home, as_json=as_json, key=key, version=version)


@app.command("accept")
def accept_command(
    name: Name, version: Version = None, key: KeyName = None, home: HomeOption = None, *, as_json: AsJson = False
) -> None:
    """Accept a counter-offer, as the requester; then the providers' people approve it."""
    _act(name, Act.ACCEPT, home, as_json=as_json, key=key, version=version)


@app.command("approve")
def approve_command(  # the options of a command line
    name: Name,
    who: Annotated[Who, typer.Option("--as", help="The officer or the data protection officer.")] = Who.OFFICER,
    version: Version = None,
    key: KeyName = None,
    home: HomeOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Approve a proposal and sign its text, as a provider's officer or data protection officer."""
    _act(name, Act.APPROVE, home, as_json=as_json, key=key, version=version, purpose=KeyPurpose(who.value))


@app.command("sign")
def sign_command(
    name: Name, version: Version = None, key: KeyName = None, home: HomeOption = None, *, as_json: AsJson = False
) -> None:
    """Sign what all providers have approved, as an officer of the requester who did not draft it."""
    _act(name, Act.SIGN, home, as_json=as_json, key=key, version=version)


@app.command("reject")
def reject_command(  # noqa: PLR0913  # the options of a command line
    name: Name,
    because: Why = None,
    reason: Reason = "",
    version: Version = None,
    key: KeyName = None,
    home: HomeOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Reject a proposal, as a provider."""
    _act(name, Act.REJECT, home, as_json=as_json, key=key, version=version, words=(because, reason))


@app.command("withdraw")
def withdraw_command(
    name: Name, version: Version = None, key: KeyName = None, home: HomeOption = None, *, as_json: AsJson = False
) -> None:
    """Withdraw an own proposal, or discard an own draft."""
    _act(name, Act.WITHDRAW, home, as_json=as_json, key=key, version=version)


@app.command("suspend")
def suspend_command(
    name: Name,
    because: Why = None,
    reason: Reason = "",
    key: KeyName = None,
    home: HomeOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Suspend an agreement in force, as any party; nothing is answered under it until it is resumed."""
    _act(name, Act.SUSPEND, home, as_json=as_json, key=key, words=(because, reason))


@app.command("resume")
def resume_command(name: Name, key: KeyName = None, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """Resume an agreement that the own agency suspended."""
    _act(name, Act.RESUME, home, as_json=as_json, key=key)


@app.command("revoke")
def revoke_command(
    name: Name,
    because: Why = None,
    reason: Reason = "",
    key: KeyName = None,
    home: HomeOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Revoke an agreement for good, as any party."""
    _act(name, Act.REVOKE, home, as_json=as_json, key=key, words=(because, reason))


@app.command("show")
def show_command(name: Name, version: Version = None, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """Show an agreement, who signed it and where it stands."""
    with connected(home, as_json=as_json) as (gateway, _):
        view = gateway.agreement(name) if version is None else _version(gateway, name, version)
        show(view, lambda: agreement_table(view), as_json=as_json)


@app.command("list")
def list_command(home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """List every version of every agreement."""
    with connected(home, as_json=as_json) as (gateway, _):
        views = agreement_calls.everything(gateway)
        show_all(views, lambda: agreements_table(views), as_json=as_json)


@app.command("history")
def history_command(name: Name, home: HomeOption = None, *, as_json: AsJson = False) -> None:
    """Show every act on an agreement, each signature verified here; as JSON it can be verified elsewhere."""
    with connected(home, as_json=as_json) as (gateway, _):
        found = agreement_calls.histories(gateway, name)
        show_all(found, lambda: history_table(found), as_json=as_json)


@app.command("verify")
def verify_command(
    file: Annotated[Path, typer.Argument(help="What `saphan agreement history --json` printed.")],
    home: HomeOption = None,
    *,
    registry: RegistryCopyOption = None,
    root: RootOption = None,
    at: CopysTime = None,
    as_json: AsJson = False,
) -> None:
    """Verify a history without the gateway: every signature, every state, exactly the required signers."""
    with told_errors(as_json=as_json):
        now = time_of(at, datetime.now(UTC))  # noqa: TID251  # a command begins here
        brought = believed_copy(registry, root, now)
        federation = MemberHome(load_client_settings(home=home)).federation() if brought is None else brought.federation
        told = given_bytes(file)
        try:
            found = _histories.validate_json(told)
        except ValidationError as error:
            raise InvalidInput("malformed-body", where=file.name) from error
        for each in found:
            check_history(each, federation, now)
        views = [each.view for each in found]
        show_all(views, lambda: agreements_table(views), as_json=as_json)


def _put_forward(file: Path, act: Act, key: str | None, home: Path | None, *, as_json: bool) -> None:
    with connected(home, as_json=as_json) as (gateway, member):
        draft = given_bytes(file)
        try:
            agreement = Agreement.model_validate_json(draft)
        except ValidationError as error:
            raise InvalidInput("malformed-body", where=_where(error) or file.name) from error
        signer = _key(member, gateway, lambda _, kid: kid == (key or agreement.drafted_by), [""])
        view = agreement_calls.put_forward(gateway, agreement, act, signer)
        show(view, lambda: agreement_table(view), as_json=as_json)


def _version(gateway: Gateway, name: str, version: int) -> AgreementView:
    return agreement_calls.meant(gateway, name, Act.REVIEW, version)


def _where(error: ValidationError) -> str:
    first = error.errors(include_input=False)[0]["loc"]
    return ".".join(str(part) for part in first)


def _act(  # noqa: PLR0913  # what the options of all these commands come to
    name: str,
    act: Act,
    home: Path | None,
    *,
    as_json: bool,
    key: str | None,
    version: int | None = None,
    purpose: KeyPurpose = KeyPurpose.OFFICER,
    words: tuple[Because | None, str] = (None, ""),
) -> None:
    with connected(home, as_json=as_json) as (gateway, member):
        if act in NEEDS_REASON and words[0] is None:
            raise InvalidInput("reason-missing", act=act.value)
        view = agreement_calls.meant(gateway, name, act, version)
        barred = _drafters(gateway, view) if act in NOT_BY_DRAFTERS and key is None else [""]
        signer = _key(member, gateway, lambda has, kid: kid == key if key else has is purpose, barred)
        if act is Act.APPROVE:
            moved = agreement_calls.approve(gateway, view, signer)
        else:
            moved = agreement_calls.move(gateway, view, act, signer, Words(because=words[0], reason=words[1]))
        show(moved, lambda: agreement_table(moved), as_json=as_json)


def _drafters(gateway: Gateway, view: AgreementView) -> list[str]:
    """Who drafted this version, and before it the others: their words may be in it."""
    versions = [each.view.agreement for each in agreement_calls.histories(gateway, view.agreement.id)]
    return [view.agreement.drafted_by, *(each.drafted_by for each in versions)]


def _key(
    member: MemberHome, gateway: Gateway, is_meant: Callable[[KeyPurpose, str], bool], barred: Sequence[str]
) -> SigningKey:
    """The first key that is meant, of somebody who drafted nothing if there is one; never that of the first barred."""
    held = [key for purpose, key in member.signers(gateway.now()) if is_meant(purpose, key.kid)]
    held = sorted((key for key in held if key.kid != barred[0]), key=lambda key: key.kid in barred)
    if not held:
        raise InvalidInput("key-not-held", kid=f"{member.settings.agency}#officer, #dpo")
    return held[0]
