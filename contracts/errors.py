"""The one error tree, split by what the caller can do.

    SaphanError
    ├── Refused          the rules say no: read the reasons, change what is asked or agreed
    ├── InvalidInput     the words are wrong: correct them and send again
    ├── Unavailable      nothing is wrong but the time: wait, or start what is down
    └── IntegrityError   something was changed or forged: stop and tell the auditors

Every error carries a stable code from ``contracts.error_catalogue``, with its number, its text and its advice in Thai
and English, and says what was spent. A detail is a name that the caller sent or that is public, never a value from a
data row.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from contracts.error_catalogue import CATALOGUE
from contracts.values import Value


class Spent(StrEnum):
    """What a failed call did to the privacy budget."""

    NOTHING = "nothing"
    RESERVED = "reserved"
    CHARGED = "charged"


class Reason(Value):
    """One rule that said no, or one thing that is wrong."""

    code: str
    number: int
    message_en: str
    message_th: str
    advice_en: str
    advice_th: str


class Problem(Value):
    """RFC 9457 problem details, as they go over the wire; ``reasons`` names every rule that said no."""

    type: str
    title: str
    status: int
    code: str
    number: int
    detail: str
    detail_th: str
    advice: str
    advice_th: str
    spent: Spent
    reasons: tuple[Reason, ...]


class SaphanError(Exception):
    """The root of all errors that a person may see.

    Args:
        code: A key of the catalogue.
        spent: What happened to the budget.
        others: Further codes when several rules said no, each written with the same details.
        details: Names that the texts mention: contracts, dimensions, agencies, rules.
    """

    family: ClassVar[str] = ""
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(
        self, code: str, *, spent: Spent = Spent.NOTHING, others: Sequence[str] = (), **details: object
    ) -> None:
        self.code = code
        self.spent = spent
        self.details = {key: str(value) for key, value in details.items()}
        self.reasons = tuple(self._reason(each) for each in (code, *others))
        super().__init__(f"{code}: {self.reasons[0].message_en}")

    def _reason(self, code: str) -> Reason:
        entry = CATALOGUE[code]
        fill = _Named(self.details)
        return Reason(
            code=code,
            number=entry.number,
            message_en=entry.en.format_map(fill),
            message_th=entry.th.format_map(fill),
            advice_en=entry.advice_en.format_map(fill),
            advice_th=entry.advice_th.format_map(fill),
        )

    def problem(self) -> Problem:
        """The error as RFC 9457 problem details."""
        first = self.reasons[0]
        return Problem(
            type=f"urn:saphan:error:{self.code}",
            title=self.code.replace("-", " "),
            status=self.status,
            code=self.code,
            number=first.number,
            detail=first.message_en,
            detail_th=first.message_th,
            advice=first.advice_en,
            advice_th=first.advice_th,
            spent=self.spent,
            reasons=self.reasons,
        )


class _Named(dict[str, str]):
    """Details for a text; a name that nobody gave is shown as a dash, so that an error never hides behind an error."""

    def __missing__(self, key: str) -> str:
        return "-"


class Refused(SaphanError):
    """The rules say no."""

    family = "refused"
    status = 403
    exit_code = 3


class InvalidInput(SaphanError):
    """What was sent cannot be understood or does not fit the contract."""

    family = "invalid-input"
    status = 422
    exit_code = 2


class Unavailable(SaphanError):
    """Nothing is wrong, but somebody has to come back."""

    family = "unavailable"
    status = 503
    exit_code = 4


class IntegrityError(SaphanError):
    """Something was changed, forged or lost."""

    family = "integrity"
    status = 409
    exit_code = 5


FAMILIES: dict[str, type[SaphanError]] = {
    each.family: each for each in (Refused, InvalidInput, Unavailable, IntegrityError)
}


def from_code(code: str, *, spent: Spent = Spent.NOTHING, others: Sequence[str] = (), **details: object) -> SaphanError:
    """The error of the family that the catalogue gives to ``code``."""
    return FAMILIES[CATALOGUE[code].family](code, spent=spent, others=others, **details)


def from_problem(problem: Problem) -> SaphanError:
    """The error that another program sent; its texts are kept as they came."""
    family = FAMILIES[CATALOGUE[problem.code].family] if problem.code in CATALOGUE else Unavailable
    code = problem.code if problem.code in CATALOGUE else "unknown-answer"
    error = family(code, spent=problem.spent)
    error.reasons = problem.reasons
    return error
