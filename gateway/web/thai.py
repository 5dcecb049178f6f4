"""Numbers, months and days as Thai and English readers write them. Thai years are Buddhist; machines get ISO dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from math import ceil

from contracts.periods import BUDDHIST_ERA
from gateway.web.estimates import Estimate

BANGKOK = timezone(timedelta(hours=7), "Asia/Bangkok")
MINUS = "−"
MOST_DECIMALS = 2
MINUTE, HOUR = 60, 3600
CHANGES_UNIT_AT = 100
"""So many of one unit are still read as that unit: 84 seconds, but 2 minutes rather than 120 seconds."""

MONTHS = {
    "th": ("ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure and its error as they are printed: the same decimals, the error rounded up."""

    value: str
    error: str


def number(value: float, decimals: int = 0, *, signed: bool = False) -> str:
    """``1,234.5`` with a true minus sign; ``signed`` writes the plus too."""
    text = f"{abs(value):,.{decimals}f}"
    is_zero = not text.strip("0.,")
    if value < 0 and not is_zero:
        return MINUS + text
    return f"+{text}" if signed and not is_zero else text


def shown(estimate: Estimate, *, signed: bool = False, most: int = MOST_DECIMALS) -> Shown:
    """A figure with only the decimals that its error leaves standing, at most ``most``."""
    decimals = next((d for d in range(most) if estimate.error >= 10.0**-d), most)
    scale = 10**decimals
    error = ceil(estimate.error * scale - 1e-9) / scale
    return Shown(number(estimate.value, decimals, signed=signed), number(error, decimals))


def time_unit(seconds: float) -> tuple[str, float]:
    """The unit in which a span is read (``seconds``, ``minutes``, ``hours``), and how many seconds it has."""
    if seconds < CHANGES_UNIT_AT:
        return "seconds", 1.0
    if seconds < CHANGES_UNIT_AT * MINUTE:
        return "minutes", float(MINUTE)
    return "hours", float(HOUR)


def year(value: int, lang: str) -> int:
    """The year in the reader's era."""
    return value + BUDDHIST_ERA if lang == "th" else value


def month(text: str, lang: str) -> str:
    """``2026-11`` as ``พ.ย. 2569`` or ``Nov 2026``."""
    return f"{MONTHS[lang][int(text[5:7]) - 1]} {year(int(text[:4]), lang)}"


def months(names: Sequence[str], lang: str) -> str:
    """The first and the last month of a span."""
    first, last = month(names[0], lang), month(names[-1], lang)
    return first if first == last else f"{first} – {last}"


def day(at: datetime, lang: str) -> str:
    """The Bangkok day of an instant: ``21 พ.ย. 2569`` or ``21 Nov 2026``."""
    return calendar_day(at.astimezone(BANGKOK).date(), lang)


def calendar_day(on: date, lang: str) -> str:
    """A day of the calendar, as ``day`` writes it."""
    return f"{on.day} {MONTHS[lang][on.month - 1]} {year(on.year, lang)}"


def iso_day(at: datetime) -> str:
    """The Bangkok day of an instant, for machines."""
    return at.astimezone(BANGKOK).date().isoformat()


def clock_time(hour: int, lang: str) -> str:
    """A full hour: ``18.00`` in Thai, ``18:00`` in English."""
    return f"{hour % 24:02d}{'.' if lang == 'th' else ':'}00"


def moment(at: datetime, lang: str) -> str:
    """The Bangkok time of an instant to the minute: ``18.05`` in Thai, ``18:05`` in English."""
    local = at.astimezone(BANGKOK)
    return f"{local.hour:02d}{'.' if lang == 'th' else ':'}{local.minute:02d}"
