"""The policy cases as a page of the reference: ``python -m tests.policy_page`` prints it."""

from collections.abc import Iterable

from contracts.error_catalogue import CATALOGUE
from policies.acts import denied_act
from policies.decide import decide
from tests.policy_cases import ASKS, DEEDS

HEAD = f"""# Policy cases

Every case that the tests put to the policies, with the decision and every rule that says no. The policies are
`policies/exchange.cedar` (`{decide.__module__}`, asked by the gateway and again by every connector from its own copy)
and `policies/acts.cedar` (`{denied_act.__module__}`). One broad permit says who may try; each narrow forbid says why
not, and its `@id` is the code below. Whatever cannot be evaluated is refused with `policy-error`.

This page is printed by `python -m tests.policy_page` and held against the tests.
"""


def page() -> str:
    """The page, in Markdown."""
    asks = [(case.title, case.reasons) for case in ASKS]
    deeds = [(f"{case.title} ({case.kid.partition('#')[2].rstrip('-0123456789')})", case.reasons) for case in DEEDS]
    reasons = sorted({reason for _, codes in (*asks, *deeds) for reason in codes})
    texts = (f"| {_link(code)} | {CATALOGUE[code].th} | {CATALOGUE[code].en} |" for code in reasons)
    return "\n".join(
        (
            HEAD,
            "## A question (`ask`)\n",
            *_table("what is asked", asks),
            "\n## An act on an agreement\n",
            "The agreement is between the requester `oja`, whose `officer-1` drafted it, and the holder `ccib`.\n",
            *_table("who does what (kind of key)", deeds),
            "\n## What the reasons say\n",
            "| code | ไทย | English |\n|---|---|---|",
            *texts,
            "",
        )
    )


def _table(head: str, cases: Iterable[tuple[str, tuple[str, ...]]]) -> Iterable[str]:
    yield f"| {head} | decision | reasons |\n|---|---|---|"
    for title, reasons in cases:
        yield f"| {title} | {'**deny**' if reasons else 'allow'} | {', '.join(map(_link, reasons))} |"


def _link(code: str) -> str:
    return f"[`{code}`](errors.md#{CATALOGUE[code].number}-{code})"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201  # a program that prints
