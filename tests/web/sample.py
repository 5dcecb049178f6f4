"""Made-up public releases and a forecast, in their real shapes, for every test of the page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from itertools import product
from math import cos, pi, sqrt
from zlib import crc32

from contracts.analysis import Analysis, AnalysisKind, Column, PublishedAnalysis, Report, Statement, Table
from contracts.canonical import digest_of
from contracts.code_lists import code_list
from contracts.counter_nodes import nodes
from contracts.dataset import ContractRef, ProtectAt, Text, Tier
from contracts.forecast import Citation, Forecast, ForecastSeries, ModelCard, PublishedForecast, Score
from contracts.grid import HOURS, Axis, Grid
from contracts.periods import Period, next_month
from contracts.query import Query, Series
from contracts.release import Promise, Release, ReleaseBody, Released, ReleaseState, Withdrawal
from contracts.task import Charge

DIGEST = "sha-256:" + "0" * 64
PROVINCES = code_list("provinces").values
GROUPS = ("G1", "G2", "G3", "G4")
FIRST, LAST = date(2023, 10, 1), date(2026, 10, 1)
MONTHS = Period(**{"from": FIRST, "until": date(2026, 11, 1)}).months()
CREATED = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
SIGMA = 2.4
SHARE = {"G1": 0.2, "G2": 0.6, "G3": 0.2, "G4": 3.0}
BUSY = (62, 55, 48, 40, 31, 24, 22, 26, 31, 36, 40, 44, 46, 45, 47, 50, 55, 63, 74, 86, 92, 90, 82, 72)
Figure = Callable[[tuple[str, ...]], int]


@dataclass
class PublishedRecord:
    """What is published, held in memory: the page's whole view of the exchange."""

    forecast: PublishedForecast | None = None
    published: tuple[Release, ...] = ()
    asked: list[str | None] = field(default_factory=list)
    warnings: PublishedAnalysis | None = None

    def latest_forecast(self) -> PublishedForecast | None:
        return self.forecast

    def latest_warnings(self) -> PublishedAnalysis | None:
        return self.warnings

    def releases(self, agency: str | None, /) -> tuple[Release, ...]:
        self.asked.append(agency)
        return self.published


@cache
def wobble(*parts: str) -> float:
    """A number in [-1, 1) that looks random and is always the same for the same parts."""
    return crc32("/".join(parts).encode()) / 2**31 - 1


def release(
    activity: str, axes: Mapping[str, Sequence[str]], figures: Mapping[str, Figure], /, **changes: object
) -> Release:
    """A public release of ``figures`` by measure; ``changes`` overwrite fields of its body."""
    grid = Grid(axes=tuple(Axis(name=name, values=tuple(values)) for name, values in axes.items()))
    until = next_month(date.fromisoformat(f"{axes.get('month', MONTHS)[-1]}-01"))
    start = date.fromisoformat(f"{axes.get('month', MONTHS[-12:])[0]}-01")
    ref = ContractRef(
        id="crimes_case" if activity.startswith("crimes") else "tpo_complaint", version="1.0.0", digest=DIGEST
    )
    fields: dict[str, object] = {
        "id": f"rel-{activity}",
        "request_id": f"req-{activity}",
        "request_digest": DIGEST,
        "agreement": "agr-whitepaper",
        "agreement_digest": DIGEST,
        "activity": activity,
        "requester": "oja",
        "purpose": "whitepaper",
        "tier": Tier.STATISTICS,
        "public": True,
        "query": Query(
            measures=tuple(figures), dimensions=tuple(axes), period=Period(**{"from": start, "until": until})
        ),
        "grid": grid,
        "released": tuple(_released(name, figure, grid) for name, figure in figures.items()),
        "derived": (),
        "charges": (Charge(source="rtp/crimes", window="FY2569", nano_rho=1_000_000),),
        "epsilon": 0.5,
        "delta": "1e-6",
        "promises": (_promise(ref),),
        "parts": (DIGEST,),
        "created": CREATED,
    }
    body = ReleaseBody.model_validate({**fields, **changes})
    return Release(body=body, digest=digest_of(body), signature="signed")


def _released(name: str, figure: Figure, grid: Grid) -> Released:
    unit, sigma = ("baht", 90_000.0) if name != "count" else ("cases", SIGMA)
    cells = tuple(figure(key) for key in grid.keys())  # noqa: SIM118  # a grid is no mapping
    return Released(measure=name, unit=unit, cells=cells, sigma=sigma, expected_error_95=1.96 * sigma)


def _promise(ref: ContractRef) -> Promise:
    return Promise(
        contract=ref,
        person=Text(th="ผู้เสียหาย", en="victims"),
        protect_at=ProtectAt.CONNECTOR if ref.id == "tpo_complaint" else ProtectAt.GATEWAY,
        rows_per_window=2,
        epsilon=0.83,
        delta="1e-6",
        data_version=3,
    )


@cache
def crimes(key: tuple[str, ...]) -> int:
    """Cases of (month, province, group), noise included: it may fall below zero."""
    month, province, group = key
    people = int(code_list("provinces").facts["pop_2566"][province]) / 1e6
    season = 1 + 0.12 * cos(2 * pi * (int(month[5:7]) - 4) / 12)
    trend = 1 + 0.004 * ((int(month[:4]) - 2023) * 12 + int(month[5:7]))
    exact = 118 * people * SHARE[group] * season * trend * (1 + 0.05 * wobble(*key))
    return round(exact + 1.5 * SIGMA * wobble("noise", *key))


def crimes_monthly(**changes: object) -> Release:
    """Three years of months by province and group; ``changes`` overwrite fields of its body."""
    made = _monthly()
    if not changes:
        return made
    body = made.body.model_copy(update=changes)
    return made.model_copy(update={"body": body, "digest": DIGEST})


@cache
def _monthly() -> Release:
    axes = {"month": MONTHS, "province": PROVINCES, "offence_group": GROUPS}
    return release("crimes-monthly", axes, {"count": crimes})


def crimes_clock(**changes: object) -> Release:
    def by_hour(key: tuple[str, ...]) -> int:
        return round(BUSY[int(key[0])] * 62 * SHARE[key[1]] * (1 + 0.06 * wobble(*key)))

    return release("crimes-clock", {"hour": HOURS, "offence_group": GROUPS}, {"count": by_hour}, **changes)


def frauds_monthly(**changes: object) -> Release:
    types = code_list("tech_case_types").values

    def complaints(key: tuple[str, ...]) -> int:
        rank = 1.0 + types.index(key[1])
        return round(9000 * float(rank**-1.3) * (1 + 0.1 * wobble(*key)))

    figures = {"count": complaints, "damage_thb:sum": lambda key: complaints(key) * 41_000}
    return release("tpo-monthly", {"month": MONTHS[-12:], "case_type": types}, figures, **changes)


def counter(activity: str, start: date, until: date, **changes: object) -> Release:
    """A daily counter: 100 cases each day, the noise of each node included."""
    period = Period(**{"from": start, "until": until})
    labels = {each.label: each for each in nodes(period)}

    def summed(key: tuple[str, ...]) -> int:
        node = labels[key[0]]
        return round(100 * (node.until - node.start).days + SIGMA * wobble(activity, *key))

    query = Query(measures=("count",), dimensions=(), period=period, series=Series(), counter=True)
    named = {"id": f"rel-{activity}-{start}", "query": query}
    return release(activity, {"node": tuple(labels)}, {"count": summed}, **(named | changes))


def withdrawn(given: Release, reason: str = "ตัวเลขเดือน ส.ค. นำเข้าซ้ำ", replaced_by: str | None = None) -> Release:
    state = ReleaseState.SUPERSEDED if replaced_by else ReleaseState.WITHDRAWN
    withdrawal = Withdrawal(release=given.body.id, state=state, reason=reason, replaced_by=replaced_by)
    return given.model_copy(update={"withdrawal": withdrawal})


def forecast(*cited: Release, flagged: tuple[str, ...] = ()) -> PublishedForecast:
    """A year ahead, citing the releases given; ``flagged`` names those withdrawn since."""
    made = _forecast()
    if cited:
        citations = tuple(Citation(release=each.body.id, digest=each.digest) for each in cited)
        made = made.model_copy(update={"citations": citations})
    return PublishedForecast(forecast=made, digest=DIGEST, flagged=flagged)


@cache
def _forecast() -> Forecast:
    months = Period(**{"from": date(2026, 11, 1), "until": date(2027, 11, 1)}).months()
    series = tuple(_series(province, group, months) for province, group in product(PROVINCES, GROUPS))
    return Forecast(
        id="fc-2026-11",
        title=Text(th="คดีรายจังหวัด", en="Cases by province"),
        model="AutoETS",
        level=80,
        months=months,
        dimensions=("province", "offence_group"),
        series=series,
        scores=(
            Score(model="AutoETS", mase=0.87, wape=0.142, coverage=0.79),
            Score(model="seasonal naive", mase=1.0, wape=0.171, coverage=0.83),
        ),
        citations=(Citation(release=_monthly().body.id, digest=_monthly().digest),),
        limits=Text(
            th="ใช้วางแผนระดับพื้นที่เท่านั้น ไม่ใช้กำหนดการตรวจตราจากจำนวนการจับกุม",
            en="For planning by area only; never to send patrols by the number of arrests.",
        ),
        created=CREATED,
    )


def _series(province: str, group: str, months: Sequence[str]) -> ForecastSeries:
    usual = [max(1.0, crimes((month, province, group)) / 1.0) for month in months]
    mean = [each * (1.01 + 0.12 * wobble(province) + 0.05 * wobble(province, group)) for each in usual]
    width = [(1.28 + 0.06 * step) * sqrt(each + 12) for step, each in enumerate(mean)]
    return ForecastSeries(
        labels={"province": province, "offence_group": group},
        mean=tuple(mean),
        low=tuple(max(0.0, each - side) for each, side in zip(mean, width, strict=True)),
        high=tuple(each + side for each, side in zip(mean, width, strict=True)),
        usual=tuple(usual),
    )


def warnings(count: int = 2, flagged: tuple[str, ...] = ()) -> PublishedAnalysis:
    """Warnings of so many areas, and one note on how to read them."""
    said = [Text(th=f"พื้นที่ที่ {number} สูงกว่าที่คาด", en=f"Area {number} is above expectation.") for number in range(count)]
    note = Text(th="เกณฑ์ผิดพลาดไม่เกินปีละครั้ง", en="The limits are wrong at most once a year.")
    words = Text(th="คำอธิบาย", en="words")
    report = Report(
        kind=AnalysisKind.WARNINGS,
        title=Text(th="พื้นที่ที่มีคดีสูงกว่าที่คาดไว้", en="Areas above expectation"),
        statements=tuple(Statement(text=text) for text in (*said, note)),
        tables=(
            Table(
                name="warnings",
                title=words,
                columns=(Column(name="area", title=words),),
                rows=tuple((str(number),) for number in range(count)),
            ),
        ),
        card=ModelCard(
            data=words,
            method=words,
            limits=Text(th="ไม่ได้บอกเหตุผล", en="It does not say why."),
            first=MONTHS[0],
            last=MONTHS[-1],
            models=("made-up",),
        ),
    )
    cited = (Citation(release=_monthly().body.id, digest=_monthly().digest),)
    analysis = Analysis(id="warnings-2026-10", report=report, citations=cited, created=CREATED)
    return PublishedAnalysis(analysis=analysis, digest=DIGEST, flagged=flagged)


def everything() -> PublishedRecord:
    """A page with every part on it, one withdrawn release among the sources."""
    monthly = crimes_monthly()
    old = withdrawn(crimes_monthly(id="rel-crimes-old", created=datetime(2026, 10, 2, 3, tzinfo=UTC)))
    daily = [counter(name, FIRST.replace(year=2025), LAST) for name in ("crimes-daily", "tpo-daily")]
    return PublishedRecord(forecast(monthly), (monthly, crimes_clock(), frauds_monthly(), *daily, old))
