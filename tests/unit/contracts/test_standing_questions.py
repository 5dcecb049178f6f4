"""The files of standing questions and expected sizes: their form, and that those of the project fit its contracts."""

from datetime import date

import pytest

from contracts.code_lists import code_list
from contracts.errors import InvalidInput
from contracts.odcs import bundled_ids, bundled_text, read_contract
from contracts.standing_questions import ALL, bundled_questions, bundled_sizes, read_questions, read_sizes

pytestmark = pytest.mark.unit

HEAD = 'window = "FY2570"\nreserve_percent = 10\n'
QUESTION = '[[question]]\nid = "Q01"\nsystem = "OJA"\ntitle = {th = "ก", en = "a"}\n'
ASK = '[[question.ask]]\nid = "map"\ntitle = {th = "ก", en = "a"}\ndataset = "crimes_case"\n'
OTHER = ASK.replace('"map"', '"other"')


def test_the_twenty_questions_stand_in_order_in_thai_and_english() -> None:
    asked = bundled_questions()

    assert [each.id for each in asked.question] == [f"Q{number:02d}" for number in range(1, 21)]
    titles = [*(each.title for each in asked.question), *(each.title for each in asked.asks.values())]
    assert all(any("\u0e00" <= letter <= "\u0e7f" for letter in title.th) for title in titles)
    assert all(title.en.isascii() for title in titles)


def test_every_question_is_asked_of_datasets_that_have_a_contract_and_a_size() -> None:
    asked = {ask.dataset for ask in bundled_questions().asks.values()}

    assert asked <= set(bundled_ids())
    assert set(bundled_sizes().dataset) == set(bundled_ids())


@pytest.mark.parametrize("dataset", bundled_ids())
def test_the_expected_sizes_speak_of_what_the_contract_offers(dataset: str) -> None:
    size, offered = bundled_sizes().dataset[dataset], read_contract(bundled_text(dataset))

    for name, shares in size.shares.items():
        dimension = offered.dimension(name)
        assert dimension is not None, name
        assert set(shares) <= set(dimension.values)
        assert sum(shares.values()) <= 1 + 1e-9
    for name, fact in size.by_fact.items():
        dimension = offered.dimension(name)
        assert dimension is not None
        assert fact in code_list(dimension.code_list or "").facts
    for name in size.covered:
        assert offered.dimension(name) is not None
    for column in size.lognormal:
        measured = offered.measure_column(column)
        assert measured is not None
        assert measured.bins
    for column, means in size.means.items():
        measured = offered.measure_column(column)
        assert measured is not None
        for code, mean in means.items():
            low, high = measured.clamps.get(code, measured.clamp)
            assert code == ALL or measured.clamp_by is not None
            assert low <= mean <= high


def test_the_window_is_a_whole_fiscal_year() -> None:
    period = bundled_questions().period

    assert (period.start, period.until) == (date(2026, 10, 1), date(2027, 10, 1))
    assert period.windows() == ("FY2570",)


def test_what_is_asked_of_one_dataset_can_be_taken_alone() -> None:
    alone = bundled_questions().about("tpo_complaint")

    assert {ask.dataset for ask in alone.asks.values()} == {"tpo_complaint"}
    assert [each.id for each in alone.question] == ["Q06", "Q07", "Q08", "Q11"]


def test_a_dataset_that_nobody_asks_is_named() -> None:
    with pytest.raises(InvalidInput, match="no-standing-question"):
        bundled_questions().about("crimes_arrest")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("window = ", "TOML"),
        (HEAD + QUESTION + ASK + 'unknown = "x"\n', "question.0.ask.0.unknown"),
        (HEAD + QUESTION + ASK + "target = 0.6\n", "question.0.ask.0.target"),
        (HEAD + QUESTION + ASK + ASK, "question.0"),
        (HEAD + QUESTION + ASK + QUESTION + ASK, "question"),
        (HEAD + QUESTION + ASK + 'reuses = "Q09/map"\n', "question"),
        (HEAD + QUESTION + ASK + 'reuses = "Q01/map"\n', "question"),
        (HEAD + QUESTION + ASK + OTHER.replace("crimes_case", "dop_case") + 'reuses = "Q01/map"\n', "question"),
        (HEAD + QUESTION + ASK + OTHER + 'reuses = "Q01/map"\nseries = true\n', "question.0.ask.1"),
        (HEAD + QUESTION + ASK + OTHER + 'reuses = "Q01/map"\nwhere = {province = ["10"]}\n', "question.0.ask.1"),
        (HEAD.replace("FY2570", "2570") + QUESTION + ASK, "window"),
    ],
)
def test_a_file_of_another_form_is_refused_by_name_and_place(text: str, where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_questions(text, "mine.toml")

    assert caught.value.code == "questions-invalid"
    assert caught.value.details == {"file": "mine.toml", "where": where}


def test_a_file_of_one_question_is_read() -> None:
    found = read_questions(HEAD + QUESTION + ASK + OTHER + 'reuses = "Q01/map"\n')

    assert list(found.asks) == ["Q01/map", "Q01/other"]


def test_sizes_of_another_form_are_refused_by_name_and_place() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_sizes('[crimes_case]\nrows = 0\nbasis = "x"\n', "mine.toml")

    assert caught.value.details == {"file": "mine.toml", "where": "dataset.crimes_case.rows"}
