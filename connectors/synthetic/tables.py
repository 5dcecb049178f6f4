"""The rows of each dataset, as its agency's own database would have them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types

from connectors.synthetic.counts import Rows, Setting
from connectors.synthetic.draws import choose, coded, digits, fraction, text_of_digits
from connectors.synthetic.figures import Booleans, Floats, Integers, columns, figures, hour_profile, shares
from connectors.synthetic.people import ages, citizen_numbers, sexes
from contracts.code_lists import code_list

SEXES = ("F", "M")
STATIONS = 24
DISTRICTS = 12
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Year:
    """The rows of at most twelve months, with what all datasets have in common.

    Attributes:
        rng: What to draw with.
        setting: What is generated.
        rows: Month, province and category of each row, in the order of time.
        person: The number of each row's person.
        day: The day of the event, as days since 1970.
        hour: The hour of the event.
        first_row: How many rows the years before have.
    """

    rng: np.random.Generator
    setting: Setting
    rows: Rows
    person: Integers
    day: Integers
    hour: Integers
    first_row: int

    @property
    def size(self) -> int:
        """How many rows."""
        return len(self.day)

    @property
    def seconds(self) -> Integers:
        """The instant of the event on a clock in Bangkok, as seconds since 1970; seconds differ from row to row."""
        return self.day * 86_400 + self.hour * HOUR + self.rng.integers(0, HOUR, self.size)

    @property
    def years_ago(self) -> Integers:
        """Whole years from the row's month to the last month."""
        return (len(self.setting.months) - 1 - self.rows.month) // 12

    def numbers(self, prefix: str) -> pa.Array:
        """A running number for each row."""
        return text_of_digits(digits(np.arange(self.first_row, self.first_row + self.size), 8), prefix)

    def provinces(self) -> pa.Array:
        """Each row's province."""
        return coded(self.rows.province, columns("provinces").codes)

    def categories(self) -> pa.Array:
        """Each row's category."""
        return coded(self.rows.category, self.setting.categories.codes)

    def places_inside(self, most: int, prefix: str, width: int) -> pa.Array:
        """A station, district or office in each row's province: the province's code and a number."""
        province = np.array([int(code) for code in columns("provinces").codes])[self.rows.province]
        inside = (self.rng.random(self.size) ** 2 * most).astype(np.int64) + 1
        return text_of_digits(np.concatenate([digits(province, 2), digits(inside, width)], axis=1), prefix)

    def drawn(self, table: Mapping[str, float], *, known: Booleans | None = None) -> pa.Array:
        """A code per row by a table of shares; none where ``known`` is false."""
        codes, weights = shares(table)
        index = choose(weights[None, :], np.zeros(self.size, np.int64), self.rng.random(self.size))
        return coded(index if known is None else np.where(known, index, -1), codes)


def tpo_complaint(year: Year) -> pa.Table:
    """Online-crime complaints: the event's hour is that of the report."""
    figure = figures()["tpo_complaint"]
    categories = year.setting.categories
    amounts = year.rng.lognormal(categories.numbers("ln_mu")[year.rows.category], _sigma(year))
    reported = year.seconds
    occurred = reported - (year.rng.exponential(2.0, year.size) * 24 * HOUR).astype(np.int64)
    return pa.table(
        {
            "case_ref": year.numbers("T"),
            "victim_id": citizen_numbers(year.person),
            "reported_at": _instants(reported),
            "occurred_at": _instants(occurred, year.rng.random(year.size) < figure["occurred_known"]),
            "province": year.provinces(),
            "station": year.places_inside(STATIONS, "", 3),
            "channel": year.drawn(figure["channel"]),
            "case_type": year.categories(),
            "platform": year.drawn(figure["platform"]),
            "victim_age": pa.array(ages(year.person, year.years_ago)),
            "victim_sex": coded(sexes(year.person, figures()["people"]["female"]), SEXES),
            "damage_thb": pa.array(np.round(amounts * figure["damage_factor"], 2)),
            "linked": pa.array(year.rng.random(year.size) < figure["linked"]),
            "stage": year.drawn(figure["stage"]),
            "crimes_ref": _known(year.numbers("R"), year.rng.random(year.size) < figure["handed_over"]),
        }
    )


def crimes_case(year: Year) -> pa.Table:
    """Criminal cases: a victim, or the suspect where the State is the injured party."""
    figure = figures()["crimes_case"]
    categories = year.setting.categories
    cleared = year.rng.random(year.size) < categories.numbers("cleared")[year.rows.category]
    has_victim = np.array([group != "G4" for group in categories.text["group"]])[year.rows.category]
    reported, occurred = _report(year)
    stages = {**figure["cleared_stage"], **figure["open_stage"]}
    weights = np.array(
        [[table.get(code, 0.0) for code in stages] for table in (figure["open_stage"], figure["cleared_stage"])]
    )
    stage = choose(weights, cleared.astype(np.int64), year.rng.random(year.size))
    return pa.table(
        {
            "case_no": year.numbers("C"),
            "person_id": citizen_numbers(year.person),
            "station": _stations(year),
            "province": year.provinces(),
            "district": year.places_inside(DISTRICTS, "", 2),
            "offence": year.categories(),
            "occurred_at": _instants(occurred),
            "reported_at": _instants(reported),
            "place": year.drawn(figure["place"]),
            "victim_age": pa.array(ages(year.person, year.years_ago), mask=~has_victim),
            "victim_sex": coded(np.where(has_victim, sexes(year.person, 0.5), -1), SEXES),
            "cleared": pa.array(cleared),
            "stage": coded(stage, tuple(stages)),
        }
    )


def dop_case(year: Year) -> pa.Table:
    """Probation cases, by days."""
    figure = figures()["dop_case"]
    end = _last_day(year.setting)
    closed = year.day + np.round(
        year.rng.lognormal(np.log(figure["supervision_days"]), figure["supervision_sigma"], year.size)
    ).astype(np.int64)
    is_closed = closed <= end
    offences = columns("crimes_case")
    crimes = dict(zip(offences.codes, offences.numbers("per_year"), strict=True))
    again = year.rng.random(year.size) < figure["reoffending"]
    return pa.table(
        {
            "case_id": year.numbers("D"),
            "person_id": citizen_numbers(year.person),
            "type": year.categories(),
            "office": year.places_inside(2, "O", 1),
            "province": year.provinces(),
            "opened_at": _days(year.day),
            "closed_at": _days(closed, is_closed),
            "offence": year.drawn(crimes),
            "result": year.drawn(figure["result"], known=is_closed),
            "reoffended_12m": pa.array(again, mask=year.day + 365 > end),
        }
    )


TABLES: Mapping[str, Callable[[Year], pa.Table]] = {
    "tpo_complaint": tpo_complaint,
    "crimes_case": crimes_case,
    "dop_case": dop_case,
}
"""How each dataset's rows are made."""


def _stations(year: Year) -> pa.Array:
    """A station by number in the province; some cases of a province with safety zones are those of a zone's station."""
    numbered = year.places_inside(STATIONS, "", 3)
    zones, row = code_list("ssz_stations"), np.arange(year.first_row, year.first_row + year.size)
    province = [columns("provinces").codes.index(zones.facts["provinces"][code]) for code in zones.values]
    there = np.array([np.equal(province, index) for index in range(len(columns("provinces").codes))], dtype=np.float64)
    zones_there = there.sum(axis=1)
    in_zone = fraction(row, 13) < figures()["crimes_case"]["in_safety_zone"]
    has_zone = (zones_there[year.rows.province] > 0) & in_zone
    there[zones_there == 0] = 1.0  # drawn from, and never used
    zone = choose(there, year.rows.province, fraction(row, 17))
    return pc.if_else(pa.array(has_zone), coded(zone, zones.values), numbered)


def _sigma(year: Year) -> Floats:
    sigma: Floats = year.setting.categories.numbers("ln_sigma")[year.rows.category]
    return sigma


def _report(year: Year) -> tuple[Integers, Integers]:
    """When each case was reported, on its day, and when it occurred, at its hour, before the report."""
    hour = choose(hour_profile("complaint")[None, :], np.zeros(year.size, np.int64), fraction(year.person, 5))
    reported = year.day * 86_400 + hour * HOUR + year.rng.integers(0, HOUR, year.size)
    delay = year.rng.geometric(0.55, year.size).astype(np.int64) - 1
    occurred = year.seconds - delay * 86_400
    return reported, np.where(occurred > reported, occurred - 86_400, occurred)


def _last_day(setting: Setting) -> int:
    last = setting.months[-1]
    return (last - date(1970, 1, 1)).days + 27


def _instants(seconds: Integers, known: Booleans | None = None) -> pa.Array:
    return pa.array(seconds, mask=None if known is None else ~known).cast(pa.timestamp("s"))


def _days(days: Integers, known: Booleans | None = None) -> pa.Array:
    mask = None if known is None else ~known
    return pa.array(days.astype(np.int32), mask=mask).cast(pa.date32())


def _known(values: pa.Array, known: Booleans) -> pa.Array:
    return pc.if_else(pa.array(known), values, None)
