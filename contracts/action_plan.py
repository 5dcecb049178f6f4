"""A province's action plan: what is to change, by whom, from which forecast; and what volunteers may join.

A plan names offices, never people. It cites the forecast that it answers, so that its effect can be compared with what
had been expected. A plan is never changed: a new version says which one it takes the place of.
"""

import re
from datetime import date
from typing import Annotated, Final, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator
from pydantic_core import PydanticCustomError

from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.identifiers import AgencyId, Code, Digest, Identifier
from contracts.personal_data import names_somebody
from contracts.plan_rules import MOST_PLANS_AT_ONCE, MOST_WORDS, RULES
from contracts.values import Value

PLAN_KIND: Final = "action-plan"
MOST_ACTIVITIES: Final = 200
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
FIRST_YEAR, LAST_YEAR = 2000, 2200
"""A later year is one of the Buddhist era, written where one of the Common Era belongs."""

_OFFICES: Final = (
    "อำเภอ|กรัฐมนตรี|กเทศมนตรี|กองค์การ|กเมือง|กสมาคม|ทะเบียน|จ้าง|หน้า|ด่าน|ตรวจ|สถานี|แพทย์|ตำรวจ|ทหาร|ประกัน|ท้าย|เวร"
)
_PLACES: Final = "จังหวัด|อำเภอ|ตำบล|หมู่ที่|และ|หรือ"
_NAMED: Final = re.compile(
    rf"(?:นาย(?!{_OFFICES})|นางสาว|(?<![ก-๙.])นาง|น\.ส\.|ด\.[ชญ]\.|เด็กชาย|เด็กหญิง"
    r"|(?:พล|พ|ร|จ|ส|ด)\.(?:ต|ส)\.(?:[อทต]\.)?(?:หญิง)?)"
    rf"\s?[ก-๙]{{2,}}\s+(?!{_PLACES})[ก-๙]{{2,}}"
    r"|\b(?:Mr|Mrs|Ms|Miss|Dr|Pol\.? \w+)\.? [A-Z][a-z]+"
)


def names_a_person(text: str) -> bool:
    """Whether a text holds a number or an address of somebody, or a title or rank before a name and a surname.

    A bare name cannot be told from other words: whoever signs answers for that. Offices (``นายอำเภอ``) are no people.
    """
    return names_somebody(text) or _NAMED.search(text) is not None


def _broken(rule: str) -> PydanticCustomError:
    return PydanticCustomError(rule, "{text}", {"text": RULES[rule].en})


def _plain(text: str) -> str:
    if not text.strip() or len(text) > MOST_WORDS:
        raise _broken("too-long-or-empty")
    if text.startswith(FORMULA_STARTS):
        raise _broken("like-a-formula")
    if names_a_person(text):
        raise _broken("names-a-person")
    return text


def _plain_both(text: Text) -> Text:
    _plain(text.th)
    _plain(text.en)
    return text


def _of_common_era(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise _broken("not-common-era")
    return day


def _province(code: str) -> str:
    if code not in code_list("provinces").values:
        raise _broken("unknown-province")
    return code


def _groups(codes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(codes)) != len(codes) or not set(codes) <= set(code_list("offence_groups").values):
        raise _broken("unknown-offence-group")
    return codes


Words = Annotated[str, AfterValidator(_plain)]
"""Up to 300 characters that name nobody."""

BothWords = Annotated[Text, AfterValidator(_plain_both)]
Day = Annotated[date, AfterValidator(_of_common_era)]
Province = Annotated[Code, AfterValidator(_province)]
Groups = Annotated[tuple[Code, ...], Field(min_length=1), AfterValidator(_groups)]


class PlanActivity(Value):
    """Something that volunteers and citizens may join: what, on which day, and where, in words."""

    title: BothWords
    day: Day
    place: Words


class Target(Value):
    """What is to be reached by the plan's last day: a change in per cent, or a count of cases; and it in words.

    ``percent`` is the change against what the cited forecast expects: -15 is 15 % fewer. ``count`` is of cases over
    the days of the plan.
    """

    percent: float | None = Field(default=None, ge=-100, le=1000)
    count: int | None = Field(default=None, ge=0, le=10**9)
    words: BothWords

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.percent is None) == (self.count is None):
            raise _broken("target-not-one")
        return self


class ActionPlan(Value):
    """A plan as its owner signs it (kind ``action-plan``); ``start`` and ``end`` are its first and last day.

    ``version`` counts from 1; a later one names the digest of the one before it in ``supersedes``.
    """

    id: Identifier
    version: int = Field(ge=1, le=9999)
    supersedes: Digest | None = None
    province: Province
    title: BothWords
    owner: AgencyId
    offence_groups: Groups
    forecast: Identifier
    start: Day
    end: Day
    target: Target
    activities: tuple[PlanActivity, ...] = Field(default=(), max_length=MOST_ACTIVITIES)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.end < self.start:
            raise _broken("ends-before-it-starts")
        if (self.version > 1) != (self.supersedes is not None):
            raise _broken("supersedes-wrong")
        return self

    def says_the_same(self, other: "ActionPlan") -> bool:
        """Whether two versions differ in nothing but their number."""
        return self.model_copy(update={"version": other.version, "supersedes": other.supersedes}) == other


class PlanView(Value):
    """A version of a plan as everybody reads it.

    ``flagged`` names the withdrawn releases behind the cited forecast (by the instant that was asked for, if one was),
    ``flagged_since`` those withdrawn afterwards. ``flags`` are codes of what a reader must know: ``enforcement`` when
    an offence group counts arrests alone, ``forecast-flagged`` when ``flagged`` names any. ``newest`` tells whether no
    later version stood then.
    """

    plan: ActionPlan
    digest: Digest
    document: str
    """The plan as its owner signed it: a compact JWS."""

    registered_at: AwareDatetime
    newest: bool
    flagged: tuple[Identifier, ...] = ()
    flagged_since: tuple[Identifier, ...] = ()
    flags: tuple[Code, ...] = ()


class PlanFault(Value):
    """What is wrong with a plan: where it stands, which field, which rule, and the rule in words.

    ``place`` is the row of a file (its heading is row 1), or the plan's identifier.
    """

    place: str
    field: str
    rule: str
    text: Text


class SignedPlans(Value):
    """Several signed plans that are registered together, or none of them."""

    documents: tuple[str, ...] = Field(min_length=1, max_length=MOST_PLANS_AT_ONCE)


class Registered(Value):
    """What became of plans that were sent: identifiers of those that are new, changed, and as they were."""

    new: tuple[Identifier, ...] = ()
    changed: tuple[Identifier, ...] = ()
    unchanged: tuple[Identifier, ...] = ()
