"""The geometry of the page's pictures: numbers in, SVG paths out. Templates draw and name, style sheets colour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, cos, floor, log10, pi, sin

from gateway.web.estimates import Estimate, Interval
from gateway.web.outlook import Fan

LEVELS = 5
GAP = 0.06
"""Of an hour's angle, left free on both sides of its wedge."""

LABEL_APART = 17.0
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Wedge:
    """One hour: its outline, the whisker of its error, and its level from 0 to 4 of the busiest hour."""

    hour: str
    path: str
    whisker: str
    level: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A label of a scale and where it stands."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class ClockFace:
    """The 24-hour dial, midnight on top, in a square of ``size``."""

    size: float
    rim: float
    wedges: tuple[Wedge, ...]
    marks: tuple[Mark, ...]


def clock_face(hours: Sequence[Estimate], size: float = 360.0) -> ClockFace:
    """The dial for as many hours as given; a wedge is as long as its figure, and a negative figure has no length."""
    centre, inner, outer = size / 2, size * 0.235, size * 0.425
    top = max(1.0, *(each.value + each.error for each in hours))

    def radius(value: float) -> float:
        return inner + (outer - inner) * max(0.0, value) / top

    wedges = tuple(_wedge(place, each, len(hours), (centre, inner), radius) for place, each in enumerate(hours))
    greatest = max(1.0, *(each.value for each in hours))
    levels = [min(LEVELS - 1, floor(LEVELS * max(0.0, each.value) / greatest)) for each in hours]
    return ClockFace(
        size=size,
        rim=outer,
        wedges=tuple(Wedge(*drawn, level) for drawn, level in zip(wedges, levels, strict=True)),
        marks=tuple(_hour_mark(hour, centre, size * 0.468) for hour in range(0, 24, 6)),
    )


def _wedge(
    place: int, figure: Estimate, hours: int, circle: Point, radius: Callable[[float], float]
) -> tuple[str, str, str]:
    centre, inner = circle
    start, middle, end = (2 * pi * (place + part) / hours - pi / 2 for part in (GAP, 0.5, 1 - GAP))
    long = radius(figure.value)

    def at(distance: float, angle: float) -> str:
        return f"{centre + distance * cos(angle):.1f} {centre + distance * sin(angle):.1f}"

    path = (
        f"M{at(inner, start)}L{at(long, start)}A{long:.1f} {long:.1f} 0 0 1 {at(long, end)}"
        f"L{at(inner, end)}A{inner:.1f} {inner:.1f} 0 0 0 {at(inner, start)}Z"
    )
    low, high = radius(figure.value - figure.error), radius(figure.value + figure.error)
    return f"{place:02d}", path, f"M{at(low, middle)}L{at(high, middle)}"


def _hour_mark(hour: int, centre: float, distance: float) -> Mark:
    angle = 2 * pi * hour / 24 - pi / 2
    return Mark(centre + distance * cos(angle), centre + distance * sin(angle) + 4, f"{hour:02d}")


@dataclass(frozen=True, slots=True)
class FanShape:
    """The forecast chart: grid lines and years, the released line with its band, the expected line with its bands.

    ``outer`` is the band if all series erred alike, empty for one series. ``ends`` labels the last expected month:
    high, mean, low, moved apart where they would touch.
    """

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    grid: tuple[Mark, ...]
    years: tuple[Mark, ...]
    past: str
    past_band: str
    future: str
    band: str
    outer: str
    usual: str
    now: Point | None
    ends: tuple[Mark, ...]


def fan_shape(fan: Fan, width: float, height: float) -> FanShape:
    """The chart of a year ahead behind the released months, in a box of ``width`` by ``height``."""
    count = len(fan.history) + len(fan.months)
    left, right, top, bottom = 58.0, width - 66.0, 14.0, height - 30.0
    highest = max(*(each.high for each in fan.outer), *(e.value + e.error for _, e in fan.history), *fan.usual, 1.0)
    step = _nice_step(highest)
    ceiling = step * ceil(highest / step)

    def x(place: float) -> float:
        return left + place * (right - left) / max(1, count - 1)

    def y(value: float) -> float:
        return bottom - (bottom - top) * max(0.0, value) / ceiling

    begins = len(fan.history)
    past = [(x(place), y(figure.value)) for place, (_, figure) in enumerate(fan.history)]
    ahead = [(x(begins + place), y(each.mean)) for place, each in enumerate(fan.expected)]
    hooked = past[-1:]
    return FanShape(
        width=width,
        height=height,
        left=left,
        right=right,
        top=top,
        bottom=bottom,
        grid=tuple(Mark(left, y(step * n), f"{step * n:,.0f}") for n in range(round(ceiling / step) + 1)),
        years=_years([*(month for month, _ in fan.history), *fan.months], x, bottom + 20),
        past=_line(past),
        past_band=_band([(x(n), y(e.value - e.error), y(e.value + e.error)) for n, (_, e) in enumerate(fan.history)]),
        future=_line([*hooked, *ahead]),
        band=_band([*((a, b, b) for a, b in hooked), *_sides(fan.expected, begins, x, y)]),
        outer=_band([*((a, b, b) for a, b in hooked), *_sides(fan.outer, begins, x, y)]) if fan.series > 1 else "",
        usual=_line([(x(begins + place), y(each)) for place, each in enumerate(fan.usual)]),
        now=past[-1] if past else None,
        ends=_ends(fan.expected[-1], right + 9, y),
    )


def _sides(
    expected: Sequence[Interval], begins: int, x: Callable[[float], float], y: Callable[[float], float]
) -> list[tuple[float, float, float]]:
    return [(x(begins + place), y(each.low), y(each.high)) for place, each in enumerate(expected)]


def _nice_step(highest: float) -> float:
    rough = highest / 5
    power = 10.0 ** floor(log10(rough))
    return max(1.0, next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough))


def _years(months: Sequence[str], x: Callable[[float], float], y: float) -> tuple[Mark, ...]:
    return tuple(Mark(x(place), y, month[:4]) for place, month in enumerate(months) if month.endswith("-01"))


def _ends(last: Interval, x: float, y: Callable[[float], float]) -> tuple[Mark, ...]:
    middle = y(last.mean) + 5
    high, low = min(y(last.high) + 5, middle - LABEL_APART), max(y(last.low) + 5, middle + LABEL_APART)
    places = zip((high, middle, low), (last.high, last.mean, last.low), strict=True)
    return tuple(Mark(x, place, f"{value:,.0f}") for place, value in places)


def _line(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) if points else ""


def _band(points: Sequence[tuple[float, float, float]]) -> str:
    outline = [*((x, high) for x, _, high in points), *((x, low) for x, low, _ in reversed(points))]
    return f"{_line(outline)}Z" if outline else ""
