"""The backtest as a product: every model on every level, on months that it had not seen, told in Thai and English."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contracts.analysis import AnalysisKind, Column, Figure, Report, Statement, Table
from contracts.dataset import Text
from contracts.errors import Unavailable
from contracts.forecast import ModelCard, Score
from forecasting.engine_trial import ENGINE, EngineTrial
from forecasting.evaluation import Forecaster, LevelScore, last_origins, score
from forecasting.hierarchy import Hierarchy
from forecasting.released_levels import Levels
from forecasting.seasons import YEAR
from forecasting.yardsticks import EtsYardstick, NaiveYardstick, floor

NAIVE = NaiveYardstick().name
FEW_ORIGINS, INTERVAL_OFF, BELOW_NOISE = "few-origins", "interval-off", "below-noise"
OFF_BY = 0.05
"""Share of the counts by which an interval may miss what it says before the reader is warned."""

MODELS = 3
"""How many models run, at most."""

SEASONS_SEEN = 2
"""Years that the first origin must have seen."""

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """What is tested.

    Attributes:
        horizon: Periods ahead: 6 months, or 4 weeks.
        origins: Windows, at most; fewer if the history is too short, and flagged.
        told: Called with the name of each model before it runs, for whoever watches.
    """

    horizon: int = 6
    origins: int = 6
    told: Told = lambda _: None


@dataclass(frozen=True, slots=True)
class Tested:
    """All lines of a backtest, and what they rest on."""

    lines: tuple[LevelScore, ...]
    windows: int
    asked: int
    horizon: int
    first: str
    last: str


def backtest_report(given: Levels, options: BacktestOptions, truth: Hierarchy | None = None) -> Report:
    """Test the engine, seasonal naive and (by month) AutoETS on all levels, and say how they did.

    Args:
        given: The figures that the models see.
        options: What is tested.
        truth: Exact counts to compare with, where a trial knows them; then the floor stands in the table too. Else the
            given figures themselves, with their known noise accounted for.

    Raises:
        Unavailable: ``not-enough-history`` or ``not-enough-weeks`` for less than two years and one window.
    """
    return _worded(all_lines(given, options, truth), exact=_is_exact(truth or given.hierarchy))


def all_lines(given: Levels, options: BacktestOptions, truth: Hierarchy | None = None) -> Tested:
    """The lines of ``backtest_report``, in its order: by model, the coarsest level first."""
    compared = truth or given.hierarchy
    leaves = compared.levels[-1]
    season, periods = leaves.season, len(leaves.months)
    windows = min(options.origins, (periods - SEASONS_SEEN * season) // options.horizon)
    if windows < 1:
        code = "not-enough-history" if season == YEAR else "not-enough-weeks"
        raise Unavailable(code, needed=SEASONS_SEEN * season + options.horizon, given=periods)
    window = options.horizon, last_origins(periods, options.horizon, windows), season
    lines: list[LevelScore] = []
    for model in _models(season):
        options.told(model.name)
        lines.extend(score(model, given.hierarchy, compared, given.names, window))
    if _is_exact(compared):
        lines.extend(floor(compared, given.names, *window))
    months = [str(month).partition("/")[0] for month in (leaves.months[0], leaves.months[-1])]
    return Tested(tuple(lines), windows, options.origins, options.horizon, months[0][:7], months[1][:7])


def _models(season: int) -> list[Forecaster]:
    models: list[Forecaster] = [EngineTrial(), NaiveYardstick(season)]
    return [*models, EtsYardstick()] if season == YEAR else models


def _is_exact(compared: Hierarchy) -> bool:
    return all(float(panel.noise.max()) <= 0 for panel in compared.levels)


def _worded(found: Tested, *, exact: bool) -> Report:
    lines = {(line.model, line.level): line for line in found.lines}
    levels = list(dict.fromkeys(line.level for line in found.lines))
    statements = [_against_naive(lines[ENGINE, level], lines[NAIVE, level]) for level in levels]
    if found.windows < found.asked:
        statements.append(_few(found))
    return Report(
        kind=AnalysisKind.BACKTEST,
        title=Text(th="ผลทดสอบการพยากรณ์ย้อนหลัง", en="Backtest of the forecasts"),
        statements=tuple(statements),
        tables=(_table(found.lines),),
        card=_card(found, exact=exact),
    )


def _against_naive(engine: LevelScore, naive: LevelScore) -> Statement:
    if engine.wape is None or not naive.wape:
        return Statement(
            text=Text(
                th=f"ระดับ {engine.level}: ไม่มีจำนวนพอให้คำนวณความคลาดเคลื่อนเทียบกับจำนวนจริง",
                en=f"Level {engine.level}: too little was counted for an error relative to the counts.",
            ),
            flags=(BELOW_NOISE,),
        )
    less = 100.0 * (1.0 - engine.wape / naive.wape)
    words = ("น้อยกว่า", "smaller") if less >= 0 else ("มากกว่า", "larger")
    held = 100.0 * (engine.coverage80 or 0.0)
    return Statement(
        text=Text(
            th=f"ระดับ {engine.level}: ความคลาดเคลื่อนของแบบจำลองหลัก{words[0]}การใช้ค่าปีก่อนร้อยละ {abs(less):.1f} "
            f"และช่วงร้อยละ 80 ครอบคลุมจริงร้อยละ {held:.1f}",
            en=f"Level {engine.level}: the engine's error is {abs(less):.1f} % {words[1]} than that of last year's "
            f"figures, and its 80 % interval held {held:.1f} %.",
        ),
        flags=_flags(engine),
    )


def _flags(engine: LevelScore) -> tuple[str, ...]:
    found = []
    if abs((engine.coverage80 or 0.0) - 0.80) > OFF_BY:
        found.append(INTERVAL_OFF)
    if engine.wape is not None and engine.noise_wape > 0.5 * engine.wape:
        found.append(BELOW_NOISE)
    return tuple(found)


def _few(found: Tested) -> Statement:
    return Statement(
        text=Text(
            th=f"ข้อมูลยาวพอสำหรับทดสอบเพียง {found.windows} ครั้ง จากที่ขอ {found.asked} ครั้ง",
            en=f"The history is long enough for {found.windows} of the {found.asked} windows that were asked for.",
        ),
        flags=(FEW_ORIGINS,),
    )


# Short: eleven columns stand beside each other on a terminal; docs/how-to/requester/test-a-forecast.md has the meaning.
_COLUMNS: Sequence[tuple[str, str, str, str]] = (
    ("model", "แบบจำลอง", "Model", ""),
    ("level", "ระดับ", "Level", ""),
    ("series", "อนุกรม", "Series", ""),
    ("mase", "MASE", "MASE", ""),
    ("wape", "WAPE", "WAPE", "%"),
    ("noise_wape", "เสียง", "Noise", "%"),
    ("scaled_crps", "CRPS", "CRPS", "%"),
    ("coverage80", "ช่วง 80", "In 80", "%"),
    ("coverage95", "ช่วง 95", "In 95", "%"),
    ("deviance", "ปัวซง", "Poisson", ""),
    ("coherence", "ต่าง", "Gap", ""),
)
_IN_PERCENT = frozenset(name for name, _, _, unit in _COLUMNS if unit == "%")


def _table(lines: Sequence[LevelScore]) -> Table:
    return Table(
        name="scores",
        title=Text(th="คะแนนของแต่ละแบบจำลองในแต่ละระดับ", en="How each model did on each level"),
        columns=tuple(Column(name=name, title=Text(th=th, en=en), unit=unit) for name, th, en, unit in _COLUMNS),
        rows=tuple(tuple(_figure(line, name) for name, *_ in _COLUMNS) for line in lines),
    )


def _figure(line: LevelScore, name: str) -> Figure:
    value: Figure = getattr(line, name)
    if not isinstance(value, float):
        return value
    return round(100.0 * value if name in _IN_PERCENT else value, 6)


def _card(found: Tested, *, exact: bool) -> ModelCard:
    data_th = "จำนวนที่แน่นอน" if exact else "ตัวเลขที่เผยแพร่พร้อมสัญญาณรบกวนที่ทราบขนาด ไม่ตัดค่าติดลบ"
    data_en = "Exact counts." if exact else "Released figures, signed, with the known size of their noise."
    return ModelCard(
        data=Text(th=data_th, en=data_en),
        method=Text(
            th=f"ทดสอบย้อนหลัง {found.windows} ครั้ง ครั้งละ {found.horizon} ช่วงเวลา แต่ละครั้งใช้เฉพาะข้อมูลที่มีอยู่ก่อนหน้า "
            "ความครอบคลุมคิดจาก randomised PIT และนับสัญญาณรบกวนของตัวเลขที่ใช้เทียบด้วย",
            en=f"{found.windows} windows of {found.horizon} periods; each forecast saw only what was known before it. "
            "Coverage is by randomised PIT, with the noise of the figures compared with taken into account.",
        ),
        limits=Text(
            th="ความคลาดเคลื่อนในอดีตไม่รับรองอนาคต โดยเฉพาะเมื่อวิธีบันทึกเปลี่ยนไป",
            en="Past errors promise nothing of the future, least of all when recording changes.",
        ),
        first=found.first,
        last=found.last,
        models=tuple(dict.fromkeys(line.model for line in found.lines)),
        scores=tuple(
            Score(
                model=line.model,
                mase=line.mase,
                wape=line.wape,
                coverage=line.coverage80,
                scaled_crps=line.scaled_crps,
                where=line.level,
            )
            for line in found.lines
        ),
    )
