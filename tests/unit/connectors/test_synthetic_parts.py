"""The parts that made-up data is made of: draws, people, counts, days, hours, planted truths."""

from datetime import date

import numpy as np
import pytest

from connectors.synthetic.counts import Rows, Setting, days, draw_counts, expected, hours, months_before, rows_of
from connectors.synthetic.draws import choose, coded, digits, fraction, text_of_digits
from connectors.synthetic.figures import columns, figures, hour_profile, shares
from connectors.synthetic.people import ages, assign, citizen_numbers, sexes
from connectors.synthetic.truths import TRUTHS, Truth, TruthKind, truths_of
from contracts.code_lists import code_list

pytestmark = pytest.mark.unit

YEAR_2024 = tuple(date(2024, month, 1) for month in range(1, 13))
FIVE_YEARS = months_before(date(2026, 11, 21), 60)
TOTALS = {"tpo_complaint": 340_000, "crimes_case": 650_000, "dop_case": 230_000}


def _rng() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(5))


def _check_digit(twelve: str) -> int:
    return (11 - sum(int(digit) * (13 - place) for place, digit in enumerate(twelve)) % 11) % 10


def test_each_draw_is_from_its_own_line_of_weights() -> None:
    tables = np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 0.0], [0.0, 1.0, 3.0]])
    rows = np.repeat(np.arange(3), 4000)
    drawn = choose(tables, rows, _rng().random(len(rows))).reshape(3, -1)
    assert set(drawn[0]) == {1}
    assert set(drawn[1]) == {0}
    assert abs((drawn[2] == 2).mean() - 0.75) < 0.03


@pytest.mark.parametrize("uniform", [0.0, 1 - 2**-53])
def test_draws_at_the_ends_stay_inside_the_line(uniform: float) -> None:
    tables = np.ones((200, 3))
    rows = np.arange(200)
    drawn = choose(tables, rows, np.full(200, uniform))
    assert set(drawn) <= {0, 2}


def test_a_hash_is_the_same_each_time_and_spreads_evenly() -> None:
    numbers = np.arange(10_000)
    assert (fraction(numbers, 1) == fraction(numbers, 1)).all()
    assert (fraction(numbers, 1) != fraction(numbers, 2)).all()
    assert abs(fraction(numbers, 1).mean() - 0.5) < 0.02
    assert 0 <= fraction(numbers, 1).min() <= fraction(numbers, 1).max() < 1


def test_digits_are_written_with_leading_zeros_after_their_prefix() -> None:
    assert digits(np.array([7, 12_345]), 5).tolist() == [[0, 0, 0, 0, 7], [1, 2, 3, 4, 5]]
    assert text_of_digits(digits(np.array([7, 123_456_789]), 9), "T").to_pylist() == ["T000000007", "T123456789"]


def test_an_index_below_zero_is_no_code() -> None:
    assert coded(np.array([1, -1, 0]), ("F", "M")).to_pylist() == ["M", None, "F"]


def test_no_made_up_citizen_passes_the_national_checksum_and_all_differ() -> None:
    numbers = citizen_numbers(np.arange(200_000_000, 200_020_000)).to_pylist()
    assert len(set(numbers)) == len(numbers)
    assert {len(number) for number in numbers} == {13}
    assert {number[0] for number in numbers} == {"0"}
    assert not [number for number in numbers if _check_digit(number[:12]) == int(number[12])]


def test_most_people_appear_once_and_a_few_very_often() -> None:
    person = assign(_rng(), 100_000, 1000)
    times = np.bincount(person - 1000)
    assert times.sum() == 100_000
    assert times.min() == 1, "numbers have no gaps"
    assert 0.85 < (times == 1).mean() < 0.92
    assert times.max() > 12


def test_no_rows_have_no_people() -> None:
    assert len(assign(_rng(), 0, 0)) == 0


def test_a_person_has_one_sex_and_grows_older() -> None:
    people = np.arange(50_000)
    now, before = ages(people, np.zeros_like(people)), ages(people, np.full_like(people, 4))
    assert ((now - before == 4) | (before == 11)).all()
    assert 11 <= now.min() <= now.max() <= 92
    assert abs((sexes(people, 0.64) == 0).mean() - 0.64) < 0.01
    bands = np.histogram(now, bins=[11, 15, 18, 22, 30, 45, 60, 93])[0] / len(people)
    assert np.abs(bands - [band["share"] for band in figures()["people"]["age"]]).max() < 0.01


def test_the_months_end_before_the_given_day_and_the_month_it_stands_in_is_left_out() -> None:
    assert months_before(date(2026, 2, 17), 3) == (date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1))


@pytest.mark.parametrize("dataset", list(TOTALS))
def test_a_year_without_truths_has_the_published_volume(dataset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.synthetic.counts.truths_of", lambda _: ())
    mean = expected(Setting(dataset, 1.0, YEAR_2024))
    assert mean.shape == (12, 77, len(columns(dataset).codes))
    assert mean.sum() == pytest.approx(TOTALS[dataset], rel=0.02)
    assert expected(Setting(dataset, 0.2, YEAR_2024)).sum() == pytest.approx(mean.sum() / 5)


def test_bangkok_has_the_share_that_its_people_and_its_crime_give_it() -> None:
    mean = expected(Setting("tpo_complaint", 1.0, YEAR_2024))
    assert 0.15 < mean[:, columns("provinces").codes.index("10")].sum() / mean.sum() < 0.19


def test_codes_are_those_of_the_public_lists() -> None:
    assert columns("provinces").codes == code_list("provinces").values
    lists = {"tpo_complaint": "tech_case_types", "crimes_case": "offences", "dop_case": "probation_case_types"}
    for dataset, name in lists.items():
        assert set(columns(dataset).codes) == set(code_list(name).values)
    drawn = {"channel": "report_channels", "platform": "contact_platforms", "stage": "justice_stages"}
    for field, name in drawn.items():
        assert set(shares(figures()["tpo_complaint"][field])[0]) <= set(code_list(name).values)
    stages = {**figures()["crimes_case"]["cleared_stage"], **figures()["crimes_case"]["open_stage"]}
    assert set(stages) <= set(code_list("justice_stages").values)
    assert set(figures()["crimes_case"]["place"]) <= set(code_list("places").values)
    assert set(figures()["dop_case"]["result"]) <= set(code_list("em_outcomes").values)


def test_counts_scatter_around_their_means_and_more_than_poisson() -> None:
    mean = np.full((60, 77, 4), 40.0)
    counts = draw_counts(_rng(), mean)
    assert counts.mean() == pytest.approx(40, rel=0.02)
    alpha = (counts.var() - counts.mean()) / counts.mean() ** 2
    assert alpha == pytest.approx(figures()["dispersion"]["alpha"], rel=0.15)


def test_neighbours_share_their_shocks() -> None:
    counts = draw_counts(_rng(), np.full((400, 77, 1), 1e6))[:, :, 0]
    codes = columns("provinces").codes
    together = np.atleast_2d(np.corrcoef(counts.T))
    neighbours = columns("neighbours")
    pairs = list(zip(neighbours.text["a"], neighbours.text["b"], strict=True))
    near = np.mean([together[codes.index(a), codes.index(b)] for a, b in pairs])
    far = together[codes.index("10"), codes.index("96")]
    assert near > 0.1 > abs(far)


def test_each_count_becomes_so_many_rows_by_province() -> None:
    counts = np.zeros((2, 3, 2), np.int64)
    counts[0, 2, 1], counts[1, 0, 0] = 2, 1
    rows = rows_of(counts)
    assert list(zip(rows.month, rows.province, rows.category, strict=True)) == [(1, 0, 0), (0, 2, 1), (0, 2, 1)]


def _many(setting: Setting, category: str, month: int, size: int = 30_000) -> Rows:
    index = setting.categories.codes.index(category)
    return Rows(np.full(size, month), np.zeros(size, np.int64), np.full(size, index))


def test_days_stay_in_their_month_and_offices_are_shut_on_sundays_more_often() -> None:
    setting = Setting("dop_case", 1.0, YEAR_2024)
    day = days(_rng(), setting, _many(setting, "PSI", 1))
    first = (date(2024, 2, 1) - date(1970, 1, 1)).days
    assert (day.min(), day.max()) == (first, first + 28)
    weekday = (day + 3) % 7
    assert (weekday == 6).sum() * 3 < (weekday == 1).sum()


def test_songkran_is_busier_for_violence() -> None:
    setting = Setting("crimes_case", 1.0, YEAR_2024)
    day = days(_rng(), setting, _many(setting, "ASSAULT", 3)) - (date(2024, 4, 1) - date(1970, 1, 1)).days + 1
    inside = np.isin(day, np.arange(11, 18)).mean()
    assert inside > 7 / 30 * 1.08


def test_hours_follow_the_offence_and_a_planted_shift_begins_in_its_month() -> None:
    setting = Setting("crimes_case", 1.0, FIVE_YEARS)
    truth = next(each for each in TRUTHS if each.kind is TruthKind.HOUR_SHIFT)
    begin = len(FIVE_YEARS) - truth.months_before_end
    for month, busy in ((begin - 1, hour_profile("00-06")), (begin, hour_profile("18-24"))):
        hour = hours(_rng(), setting, _many(setting, "ROBBERY", month))
        assert np.abs(np.bincount(hour, minlength=24) / len(hour) - busy).max() < 0.012
    thefts = hours(_rng(), setting, _many(setting, "THEFT", begin))
    assert np.bincount(thefts, minlength=24).argmax() in range(12, 18)


@pytest.mark.parametrize("planted", [each for each in TRUTHS if each.kind is not TruthKind.HOUR_SHIFT])
def test_a_planted_level_begins_in_its_month_and_concerns_nothing_else(
    planted: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = Setting(planted.dataset, 1.0, FIVE_YEARS)
    with_truths = expected(setting)
    monkeypatch.setattr("connectors.synthetic.counts.truths_of", lambda _: ())
    ratio = with_truths / np.maximum(expected(setting), 1e-300)
    begin = len(FIVE_YEARS) - planted.months_before_end
    category = [setting.categories.codes.index(code) for code in sorted(planted.categories)]
    province = 0 if planted.province is None else columns("provinces").codes.index(planted.province)
    touched = ratio[:, province, category]
    assert touched[:begin] == pytest.approx(1)
    assert touched[begin] == pytest.approx(planted.factor)
    growth = planted.factor**planted.months_before_end if planted.kind is TruthKind.RISE else planted.factor
    assert touched[-1] == pytest.approx(growth)
    others = np.delete(ratio[-1], category, axis=1)
    assert others[others > 0] == pytest.approx(1)


def test_a_truth_in_one_province_leaves_the_others_alone() -> None:
    jump = next(each for each in TRUTHS if each.kind is TruthKind.JUMP)
    mean = expected(Setting(jump.dataset, 1.0, FIVE_YEARS))
    theft = mean[:, :, columns("crimes_case").codes.index("THEFT")]
    bangkok = columns("provinces").codes.index("10")
    before, after = theft[6:18, bangkok].sum(), theft[-12:, bangkok].sum()
    assert after == pytest.approx(before, rel=0.01)


def test_truths_are_found_by_their_dataset() -> None:
    assert {truth.kind for truth in TRUTHS} == set(TruthKind)
    assert truths_of("dop_case") == ()
