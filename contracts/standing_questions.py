"""The questions that the federation asks year after year, and how large their answers are expected to be.

Both are files of the project (``standing_questions.toml``, ``expected_sizes.toml``) and may be replaced by files of the
same form. A question is made of *asks*: each is one question to one dataset. Nothing here comes from an agency's data:
the sizes are rounded public figures or estimates, so that a plan made with them says nothing about anybody.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Annotated, Final, Self, TypeVar

from pydantic import Field, StringConstraints, ValidationError, model_validator

from contracts.dataset import Text, Tier
from contracts.errors import InvalidInput
from contracts.identifiers import Code, DatasetId, MeasureName, Name
from contracts.measures import COUNT
from contracts.periods import BUDDHIST_ERA, FISCAL_YEAR_STARTS_IN, Period, Window
from contracts.query import FamilyTable
from contracts.values import Value

QUESTIONS: Final = "standing_questions.toml"
SIZES: Final = "expected_sizes.toml"

ALL: Final = "ALL"
"""The key of a mean that holds for every row."""

AskName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
AskPath = Annotated[str, StringConstraints(pattern=r"^Q\d{2,3}/[a-z][a-z0-9-]{0,31}$")]
"""An ask of another question: ``Q01/map``."""

Share = Annotated[float, Field(ge=0, le=1)]
Read = TypeVar("Read", bound=Value)


class Ask(Value):
    """One question to one dataset, as part of a standing question.

    ``target`` is the 95 % error, as a part of the figure, at which the answer serves its purpose; ``importance`` weighs
    it against the other asks of the dataset. ``times`` is how often the same fiscal year is asked anew, each time
    charged: a cohort that is followed for three years costs its year three times. A ``series`` is charged once for the
    year, however many months it is asked in. ``reuses`` names the ask whose release already holds the figures: such an
    ask costs nothing. Under the tier ``feed`` it asks for rows about nobody, which have no budget.
    """

    id: AskName
    title: Text
    dataset: DatasetId
    measures: tuple[MeasureName, ...] = Field(default=(COUNT,), min_length=1, max_length=16)
    by: tuple[Name, ...] = Field(default=(), max_length=6)
    where: Mapping[Name, tuple[Code, ...]] = Field(default_factory=dict)
    tables: tuple[FamilyTable, ...] = ()
    series: bool = False
    counter: bool = False
    times: int = Field(default=1, ge=1, le=12)
    importance: int = Field(default=1, ge=1, le=100)
    target: float = Field(default=0.2, gt=0, le=0.5)
    reuses: AskPath | None = None
    tier: Tier = Tier.STATISTICS
    instead: Text | None = None
    """What its author advises when it cannot be answered; beside what the planner finds itself."""

    @model_validator(mode="after")
    def _reuses_all_rows(self) -> Self:
        if self.reuses and (
            self.where or self.tables or self.series or self.counter or self.tier is not Tier.STATISTICS
        ):
            raise ValueError("what is reused is read as it was asked: an ask that reuses has no filter and no form")
        return self


class Question(Value):
    """A standing question: who needs it answered, in both languages, and its asks."""

    id: Annotated[str, StringConstraints(pattern=r"^Q\d{2,3}$")]
    system: str
    title: Text
    ask: tuple[Ask, ...] = Field(min_length=1, max_length=16)

    @model_validator(mode="after")
    def _asks_differ(self) -> Self:
        if len({each.id for each in self.ask}) != len(self.ask):
            raise ValueError("an ask is named twice")
        return self


class StandingQuestions(Value):
    """All standing questions of one fiscal year, ``window``.

    ``reserve_percent`` of every budget is kept for what nobody foresaw: questions of the day, and revisions.
    """

    window: Window
    reserve_percent: int = Field(ge=0, le=90)
    question: tuple[Question, ...] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _each_is_asked_once_and_reuses_what_is_asked(self) -> Self:
        if len({each.id for each in self.question}) != len(self.question):
            raise ValueError("a question is named twice")
        for ask in self.asks.values():
            source = self.asks.get(ask.reuses) if ask.reuses else None
            if ask.reuses and (source is None or source.reuses or source.dataset != ask.dataset):
                raise ValueError("an ask reuses the release of one that is asked of the same dataset")
        return self

    @property
    def period(self) -> Period:
        """The whole fiscal year of ``window``."""
        ends = int(self.window.removeprefix("FY")) - BUDDHIST_ERA
        first, last = (date(year, FISCAL_YEAR_STARTS_IN, 1) for year in (ends - 1, ends))
        return Period.model_validate({"from": first, "until": last})

    @property
    def asks(self) -> dict[str, Ask]:
        """Every ask by its path, such as ``Q01/map``, in order."""
        return {f"{each.id}/{ask.id}": ask for each in self.question for ask in each.ask}

    def about(self, dataset: str) -> "StandingQuestions":
        """Only what is asked of one dataset.

        Raises:
            InvalidInput: ``no-standing-question``, when nothing is.
        """
        kept = [(each, tuple(ask for ask in each.ask if ask.dataset == dataset)) for each in self.question]
        found = tuple(each.model_copy(update={"ask": asks}) for each, asks in kept if asks)
        if not found:
            raise InvalidInput("no-standing-question", dataset=dataset)
        return self.model_copy(update={"question": found})


class Lognormal(Value):
    """How a column's values are thought to be spread: their logarithms are normal with mean ``mu``.

    ``sigma`` is the logarithms' standard deviation, ``share`` is the share of rows that have a value at all.
    """

    mu: float
    sigma: float = Field(gt=0)
    share: Share = 1.0


class ExpectedSize(Value):
    """How large one dataset is expected to be in one fiscal year; see the head of ``expected_sizes.toml``."""

    rows: int = Field(ge=1)
    people: int | None = Field(default=None, ge=1)
    shares: Mapping[Name, Mapping[Code, Share]] = Field(default_factory=dict)
    by_fact: Mapping[Name, Name] = Field(default_factory=dict)
    covered: Mapping[Name, Share] = Field(default_factory=dict)
    means: Mapping[Name, Mapping[Code, float]] = Field(default_factory=dict)
    lognormal: Mapping[Name, Lognormal] = Field(default_factory=dict)
    basis: str


class ExpectedSizes(Value):
    """The expected size of each dataset."""

    dataset: Mapping[DatasetId, ExpectedSize]


def read_questions(text: str, name: str = QUESTIONS) -> StandingQuestions:
    """The standing questions that a TOML text writes.

    Args:
        text: The file's text.
        name: What to call it in an error.

    Raises:
        InvalidInput: ``questions-invalid``, naming where.
    """
    return _read(StandingQuestions, text, name)


def read_sizes(text: str, name: str = SIZES) -> ExpectedSizes:
    """The expected sizes that a TOML text writes, a table for each dataset.

    Raises:
        InvalidInput: ``questions-invalid``, naming where.
    """
    return _read(ExpectedSizes, text, name, under="dataset")


def bundled_questions() -> StandingQuestions:
    """The standing questions that come with the program: Q01 to Q20 of the Office of Justice Affairs."""
    return read_questions(_bundled(QUESTIONS))


def bundled_sizes() -> ExpectedSizes:
    """The expected sizes that come with the program."""
    return read_sizes(_bundled(SIZES))


def _bundled(name: str) -> str:
    return files("contracts").joinpath(name).read_text(encoding="utf-8")


def _read(kind: type[Read], text: str, name: str, under: str | None = None) -> Read:
    try:
        found = tomllib.loads(text)
        return kind.model_validate({under: found} if under else found)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput("questions-invalid", file=name, where="TOML") from error
    except ValidationError as error:
        where = ".".join(str(each) for each in error.errors()[0]["loc"]) or "question"
        raise InvalidInput("questions-invalid", file=name, where=where) from error
