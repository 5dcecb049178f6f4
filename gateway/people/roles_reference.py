"""The roles as a page of the reference: ``python -m gateway.people.roles_reference`` prints it."""

from collections.abc import Mapping
from typing import Final

from contracts.people import PersonRole
from gateway.people.roles import APART, GIVES, MAY, SIGNS_AS, May

HEAD: Final = """# Roles

What people may see and do on the gateway's pages, and who gives which role. A role belongs to a person and to that
person's agency; what is not marked is refused. Keys, agreements and registers have rules of their own beside these.
Made by `python -m gateway.people.roles_reference` from `gateway/people/roles.py`.
"""
WHAT: Final[Mapping[May, str]] = {
    May.OWN_ACCOUNT: "own account: passkeys, sessions",
    May.READ_AGREEMENTS: "agreements that the agency sees, in the letter's words",
    May.ACT_ON_AGREEMENTS: "sign acts on agreements, with the own registered key, after a step-up",
    May.REQUEST_KEYS: "ask the registrar to register an own key, after a step-up",
    May.MANAGE_PEOPLE: "the agency's people: invite, give and take roles, sign out, close, after a step-up",
    May.INVITE_FIRST_STEWARDS: "the first steward of an agency that never had one; take any steward's role away",
    May.READ_SIGN_INS: "sign-ins and role changes in the log: own agency's; supervisors everybody's, as commitments",
    May.READ_REGISTERS: "the register of disclosures: own agency's; supervisors and the operator everybody's",
}


STEWARDS: Final = (
    "A steward gives in the own agency alone. An operator gives `operator` among the operator's own people, and"
    " `steward` to an agency that never had one: an agency that lost its last steward invites the next with its"
    " steward's key. Nobody changes his own roles. An invitation is good while its giver might still give it; a new"
    " link into an account ends every passkey, login and session of before, and a data protection officer's account"
    " gets none: it is closed and its owner invited anew."
)


def page() -> str:
    """The page, in Markdown."""
    roles = tuple(PersonRole)
    names = " | ".join(f"`{role.value}`" for role in roles)
    lines = [HEAD, f"| may | {names} |", "|---" * (len(roles) + 1) + "|"]
    lines += [f"| {WHAT[what]} | {' | '.join('yes' if what in MAY[role] else '-' for role in roles)} |" for what in May]
    lines += ["", "| who | gives and takes |", "|---|---|"]
    lines += [
        f"| `{giver.value}` | {', '.join(f'`{r.value}`' for r in roles if r in GIVES[giver])} |" for giver in GIVES
    ]
    apart = "; ".join(" and ".join(f"`{role.value}`" for role in roles if role in pair) for pair in APART)
    keys = ", ".join(f"`{role.value}` a key of purpose `{purpose.value}`" for role, purpose in SIGNS_AS.items())
    lines += [
        "",
        STEWARDS,
        "",
        f"Never one person: {apart}. Whoever changes a role signs that person out everywhere.",
        "",
        f"Keys: {keys}.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201  # a program that prints
