"""The life of an agreement as a page of the reference: ``python -m contracts.lifecycle_reference`` prints it."""

from itertools import groupby
from typing import Final

from contracts.lifecycle import ANSWERS, NEEDS_REASON, TABLE, TERMINAL, Act, AgreementState, Because, Move

HEAD: Final = """# The life of an agreement

Each version of an agreement has a life of its own. It moves only by acts: one person's signature over who does what to
which text, after which act before. The state is folded from these acts; what is not in the table cannot happen. Beside
the table, the rules of `policies/acts.cedar` keep duties apart; both must agree.

**Who:** a *drafter* is whoever wrote the text (`drafted_by`, and whoever wrote a draft before it). A drafter never
accepts, approves or signs it; in one negotiation the drafters of the versions that it answered neither approve nor sign
it. *All* means that every provider's officer and data protection officer have approved, or that nobody who suspended it
still does.

| state | act | by whom | leads to | negotiation (DSP 2025-1) |
|---|---|---|---|---|
"""
TAIL: Final = """
`{terminal}` admit nothing. `expired` is never an act: a version
that has not ended is expired from the first instant after its period, at midnight in Bangkok. Only `supersede` still
reaches it, when its successor comes into force.

**Another version.** A negotiation has one open version. {answers}.
The answer supersedes it at once. An amendment names the version in force in `supersedes`, runs beside it, and
supersedes it in the transaction in which it comes into force. A draft lies at the gateway for its own agency only;
written anew it replaces the old text, withdrawn it leaves nothing, and it is in no log.

**Coming into force.** The gateway activates a signed version on its first day in Bangkok, when its contracts are not
retired, all signatures over the text are there, no policy decision is dated later than today and, for microdata and
linked cohorts, it carries one. While another version is suspended it does not begin: neither its own first day nor the
last day of the suspended version undoes what a party stopped; what all sign after that last day may begin. `blocked`
says what stands against it.

**What connectors hear of.** Of a text that anybody has signed, the providers' connectors are told of `suspend`,
`resume`, `revoke`, `reject`, `withdraw` and `supersede`, also before it is in force: whoever holds all the signatures
cannot use what a party has let be. A suspended agency may still `suspend`, `revoke`, `reject` and `withdraw`.

**Reasons.** {reasons} take one of:
{because}.
The log shows it in clear; words of one's own stay in the signed act, which the members of the federation can read.

**Stale acts.** Each act names the digest of the act before it. If another came between, it is refused (1245, HTTP 409).
An act that is more than a minute off the gateway's clock is refused (1126).
"""
NOTHING: Final = "(new)"


def page() -> str:
    """The page, in Markdown."""
    rows = (_row(list(moves)) for _, moves in groupby(TABLE, key=_case))
    answers = " and ".join(f"what is `{dsp.value}` is answered by `{act.value}`" for dsp, act in ANSWERS.items())
    tail = TAIL.format(
        terminal="`, `".join(sorted(TERMINAL)),
        answers=answers[0].upper() + answers[1:],
        reasons=", ".join(f"`{act.value}`" for act in Act if act in NEEDS_REASON),
        because=", ".join(f"`{each.value}`" for each in Because),
    )
    return f"{HEAD}{''.join(rows)}{tail}"


def _case(move: Move) -> tuple[AgreementState | None, Act, AgreementState, AgreementState | None]:
    return move.state, move.act, move.then, move.whole


def _row(moves: list[Move]) -> str:
    first = moves[0]
    who = ", ".join(each.role.value for each in moves)
    then = f"`{first.then.value}`" + (f"; `{first.whole.value}` when all" if first.whole else "")
    dsp = first.dsp.value if first.dsp else ""
    state = f"`{first.state.value}`" if first.state else NOTHING
    return f"| {state} | `{first.act.value}` | {who} | {then} | {dsp} |\n"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201  # a program that prints
