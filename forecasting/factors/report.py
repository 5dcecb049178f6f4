"""Factors in words: tables, plain sentences in Thai and English, and the card. None says more than "goes with"."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contracts.analysis import AnalysisKind, Column, Figure, Report, Statement, Table
from contracts.dataset import Text
from contracts.forecast import ModelCard
from contracts.release import ReleaseBody
from forecasting.factors.contributions import Contributions, contributions_of
from forecasting.factors.covariate_file import CovariateFile
from forecasting.factors.design import design_of
from forecasting.factors.estimation import Family
from forecasting.factors.outcome import Question, outcome_of
from forecasting.factors.population import Population, listed_population
from forecasting.factors.rates import CLEAR, RateRatio, Rates, rates_of
from forecasting.words import filled, joined, period_words, words_of

WORDS = Path(__file__).with_name("words.toml")
UNITS = {
    "season_hot": "season",
    "season_cool": "season",
    "new_year_days": "days",
    "songkran_days": "days",
    "years": "years",
    "share_15_29": "percent",
    "share_60_over": "percent",
    "prison_releases": "people",
    "prison_admissions": "people",
}
CALENDAR = ("season_hot", "season_cool", "new_year_days", "songkran_days", "years")
RATIO_COLUMNS = ("factor", "rate_ratio", "low", "high", "p_adjusted", "clear", "uncorrected")
FACTOR_COLUMNS = ("factor", "name_th", "name_en", "step", "unit", "nationwide", "reliability")


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a report of factors is asked for.

    Attributes:
        question: Which counts.
        files: The user's series.
        population: Registered people; without it those of the code list.
        without: Factors that are not wanted.
        family: The weights of the model.
        explored: Whether the exploratory view is wanted too.
    """

    question: Question = field(default_factory=Question)
    files: tuple[CovariateFile, ...] = ()
    population: Population | None = None
    without: tuple[str, ...] = ()
    family: Family = Family.NEGATIVE_BINOMIAL
    explored: bool = False


def factors_report(bodies: Sequence[ReleaseBody], wanted: Wanted) -> Report:
    """Rate ratios of every factor, from releases.

    Args:
        bodies: Releases of the counts, and of prisons if they are to be a factor.
        wanted: What is asked for.

    Raises:
        InvalidInput: ``release-not-a-series``, ``covariates-invalid``.
        Refused: ``lightgbm-not-installed``, when the exploratory view is asked for without the extra.
    """
    population = wanted.population or listed_population()
    outcome = outcome_of(bodies, wanted.question)
    design = design_of(outcome, population, wanted.files, bodies, wanted.without)
    rates = rates_of(design, wanted.family)
    explored = contributions_of(design) if wanted.explored else None
    return _Worded(rates, wanted, explored).report()


@dataclass(frozen=True, eq=False)
class _Worded:
    """Puts one model in words."""

    rates: Rates
    wanted: Wanted
    explored: Contributions | None

    def report(self) -> Report:
        """The report."""
        return Report(
            kind=AnalysisKind.FACTORS,
            title=_words("title", dataset=self.wanted.question.dataset),
            statements=tuple(self._statements()),
            tables=tuple(self._tables()),
            card=self._card(),
        )

    def _statements(self) -> list[Statement]:
        enforced = ("enforcement",) if self.wanted.question.is_enforcement else ()
        clear = [each for each in self.rates.ratios if each.clear]
        return [
            Statement(text=self._basis(), flags=enforced),
            *([Statement(text=_words("enforcement"), flags=enforced)] if enforced else []),
            *(self._clear(each, enforced) for each in clear),
            *self._unclear(),
            Statement(text=self._multiple()),
            Statement(text=_words("areas-not-people"), flags=("not-people",)),
            Statement(text=self._noise()),
            *self._about_factors(),
            *self._left_out(),
            *self._explored(),
        ]

    def _basis(self) -> Text:
        outcome = self.rates.design.outcome
        return _words(
            "basis",
            areas=len(outcome.areas),
            periods=len(outcome.periods),
            first=period_words(outcome.periods[0]),
            last=period_words(outcome.periods[-1]),
            tested=len(self.rates.ratios),
        )

    def _clear(self, ratio: RateRatio, flags: tuple[str, ...]) -> Statement:
        kind, way = ("calendar" if ratio.name in CALENDAR else "clear"), ("higher" if ratio.ratio > 1 else "lower")
        text = _words(
            f"{kind}-{way}",
            factor=factor_text(ratio.name),
            when=words_of(WORDS).get(f"when-{ratio.name}", factor_text(ratio.name)),
            step=_short(ratio.step),
            unit=_unit(ratio.name),
            percent=f"{abs(ratio.ratio - 1) * 100:.2g}",
            ratio=f"{ratio.ratio:.2f}",
            low=f"{ratio.low:.2f}",
            high=f"{ratio.high:.2f}",
        )
        return Statement(text=text, flags=(*flags, *(("nationwide-factor",) if ratio.nationwide else ())))

    def _unclear(self) -> list[Statement]:
        names = [factor_text(each.name) for each in self.rates.ratios if not each.clear]
        return [Statement(text=_words("unclear", factors=joined(names)), flags=("not-clear",))] if names else []

    def _multiple(self) -> Text:
        tested = len(self.rates.ratios)
        return _words("multiple", tested=tested, by_chance=_short(tested * CLEAR))

    def _noise(self) -> Text:
        return _words(
            "noise",
            share=f"{self.rates.noise_share * 100:.0f}",
            negative=f"{self.rates.negative:,}",
            cells=f"{self.rates.design.outcome.figures.size:,}",
        )

    def _about_factors(self) -> list[Statement]:
        noisy = [each for each in self.rates.ratios if each.uncorrected is not None]
        said = [
            Statement(
                text=_words(
                    "corrected",
                    factor=factor_text(each.name),
                    reliability=f"{each.reliability:.2f}",
                    uncorrected=f"{each.uncorrected:.2f}",
                ),
                flags=("noisy-factor",),
            )
            for each in noisy
        ]
        everywhere = [factor_text(each.name) for each in self.rates.ratios if each.nationwide]
        if everywhere:
            text = _words("nationwide", factors=joined(everywhere))
            said.append(Statement(text=text, flags=("nationwide-factor",)))
        return said

    def _left_out(self) -> list[Statement]:
        said = []
        left_out = self.rates.design.left_out
        for why in dict.fromkeys(each.why for each in left_out):
            names = [each.name for each in left_out if each.why == why]
            told = [period_words(name) if why == "period" else factor_text(name) for name in names]
            text = _words("left-out", names=joined(told), why=_words(f"why-{why}"))
            said.append(Statement(text=text, flags=("left-out",)))
        return said

    def _explored(self) -> list[Statement]:
        if self.explored is None:
            return []
        if self.explored.skill <= 0:
            return [Statement(text=_words("explored-nothing"), flags=("exploratory",))]
        first = factor_text(self.explored.factors[0].name)
        text = _words("explored", skill=f"{self.explored.skill * 100:.0f}", factor=first)
        return [Statement(text=text, flags=("exploratory",))]

    def _tables(self) -> list[Table]:
        ratios = self.rates.ratios
        tables = [
            _table("ratios", RATIO_COLUMNS, [_ratio_row(each) for each in ratios]),
            _table("factors", FACTOR_COLUMNS, [_factor_row(each) for each in ratios]),
            self._model(),
        ]
        if self.explored is not None:
            rows = [
                (each.name, round(each.mean_percent, 2), round(each.direction, 2)) for each in self.explored.factors
            ]
            tables.append(_table("contributions", ("factor", "mean_percent", "direction"), rows))
        return tables

    def _model(self) -> Table:
        rates, outcome = self.rates, self.rates.design.outcome
        mean = float(outcome.figures.sum() / rates.design.exposure.sum())
        figures: dict[str, Figure] = {
            "cells": outcome.figures.size,
            "rate": round(mean, 2),
            "dispersion": round(rates.fitted.dispersion, 4),
            "noise_share": round(rates.noise_share, 4),
            "negative": rates.negative,
        }
        if self.explored is not None:
            figures["skill"] = round(self.explored.skill, 4)
        rows = [
            (name, _words(f"model-{name}").th, _words(f"model-{name}").en, value) for name, value in figures.items()
        ]
        return _table("model", ("figure", "name_th", "name_en", "value"), rows)

    def _card(self) -> ModelCard:
        outcome = self.rates.design.outcome
        population = _words("population-file" if self.wanted.population else "population-listed")
        data = _words(
            "card-data",
            dataset=self.wanted.question.dataset,
            releases=len(outcome.releases),
            population=population,
        )
        family = self.rates.family.value
        return ModelCard(
            data=data,
            method=_words("card-method", family=family),
            limits=_words("card-limits"),
            first=outcome.months[0],
            last=outcome.months[-1],
            models=(family, *(("lightgbm",) if self.explored else ())),
        )


def factor_text(name: str) -> Text:
    """What people read for a factor's name: a user's series keeps its own."""
    return words_of(WORDS).get(f"factor-{name}", Text(th=name, en=name))


def _ratio_row(ratio: RateRatio) -> tuple[Figure, ...]:
    figures = (ratio.ratio, ratio.low, ratio.high, ratio.p_adjusted)
    uncorrected = None if ratio.uncorrected is None else round(ratio.uncorrected, 4)
    return (ratio.name, *(round(each, 4) for each in figures), ratio.clear, uncorrected)


def _factor_row(ratio: RateRatio) -> tuple[Figure, ...]:
    name, unit = factor_text(ratio.name), _unit(ratio.name).en
    return (ratio.name, name.th, name.en, round(ratio.step, 4), unit, ratio.nationwide, round(ratio.reliability, 4))


def _table(name: str, columns: Sequence[str], rows: Sequence[tuple[Figure, ...]]) -> Table:
    titled = tuple(
        Column(name=each, title=_words(f"column-{each}"), unit=_COLUMN_UNITS.get(each, "")) for each in columns
    )
    return Table(name=name, title=_words(f"table-{name}"), columns=titled, rows=tuple(rows))


_COLUMN_UNITS = {"mean_percent": "%"}


def _unit(name: str) -> Text:
    return _words(f"unit-{UNITS.get(name, 'own')}")


def _short(figure: float) -> str:
    return f"{figure:,.3g}" if abs(figure) < 1000 else f"{figure:,.0f}"  # noqa: PLR2004  # no e+03


def _words(key: str, **details: object) -> Text:
    return filled(words_of(WORDS)[key], **details)
