"""The error tree, its catalogue and its form on the wire."""

import re
from pathlib import Path

import pytest

from contracts.error_catalogue import CATALOGUE
from contracts.errors import (
    FAMILIES,
    IntegrityError,
    InvalidInput,
    Problem,
    Refused,
    SaphanError,
    Spent,
    Unavailable,
    from_code,
    from_problem,
)

pytestmark = pytest.mark.unit

HUNDREDS = {"invalid-input": (11, 15), "refused": (12, 16), "unavailable": (13,), "integrity": (14,)}
FOLDERS = ("contracts", "policies", "privacy", "forecasting", "connectors", "gateway", "saphan")
RAISED = re.compile(r"\b(Refused|InvalidInput|Unavailable|IntegrityError|from_code)\(\s*\"([a-z0-9-]+)\"")
ROOT = Path(__file__).parents[3]


def raised_codes() -> list[tuple[str, str, str]]:
    """File, class and code of every error that the programs raise by a literal code."""
    return [
        (path.name, name, code)
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name, code in RAISED.findall(path.read_text(encoding="utf-8"))
    ]


def test_an_error_carries_number_texts_and_advice_in_both_languages() -> None:
    error = InvalidInput("unknown-measure", contract="tpo_complaint", measure="weight:sum", choices="count")

    problem = error.problem()

    assert (problem.number, problem.status, problem.code) == (1107, 422, "unknown-measure")
    assert problem.type == "urn:saphan:error:unknown-measure"
    assert problem.title == "unknown measure"
    assert problem.detail == "Contract tpo_complaint does not offer the measure weight:sum."
    assert "weight:sum" in problem.detail_th
    assert problem.advice == "Choose one of: count."
    assert problem.spent is Spent.NOTHING
    assert str(error) == f"unknown-measure: {problem.detail}"


def test_a_refusal_names_every_rule_that_said_no() -> None:
    error = Refused("purpose-not-agreed", others=("tier-not-offered",), spent=Spent.RESERVED)

    assert [reason.code for reason in error.problem().reasons] == ["purpose-not-agreed", "tier-not-offered"]
    assert error.problem().spent is Spent.RESERVED


def test_a_detail_that_nobody_gave_is_a_dash() -> None:
    assert "Agreement - is not active" in str(Refused("agreement-not-active"))


def test_a_problem_crosses_the_wire_and_stays_what_it_was() -> None:
    sent = Refused("key-unknown", kid="oja#client-9", spent=Spent.CHARGED).problem()

    received = from_problem(Problem.model_validate_json(sent.model_dump_json()))

    assert isinstance(received, Refused)
    assert received.problem() == sent


def test_a_problem_that_this_program_does_not_know_keeps_its_texts() -> None:
    known = Refused("key-unknown", kid="oja#client-9").problem()
    reason = known.reasons[0].model_copy(update={"code": "from-the-future", "message_en": "New."})
    sent = known.model_copy(update={"code": "from-the-future", "reasons": (reason,)})

    received = from_problem(sent)

    assert isinstance(received, Unavailable)
    assert received.code == "unknown-answer"
    assert received.reasons[0].message_en == "New."


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_code_makes_an_error_of_its_family(code: str) -> None:
    error = from_code(code)

    assert isinstance(error, FAMILIES[CATALOGUE[code].family])
    assert re.fullmatch(r"[a-z][a-z0-9-]*", code)
    assert CATALOGUE[code].number // 100 in HUNDREDS[CATALOGUE[code].family]


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_code_speaks_thai_and_english(code: str) -> None:
    entry = CATALOGUE[code]
    names = [set(re.findall(r"{(\w+)}", each)) for each in (entry.en, entry.th)]

    assert all(re.search("[ก-๙]", each) for each in (entry.th, entry.advice_th))
    assert all(re.search("[A-Za-z]", each) for each in (entry.en, entry.advice_en))
    assert names[0] == names[1]


def test_numbers_are_unique() -> None:
    assert len({entry.number for entry in CATALOGUE.values()}) == len(CATALOGUE)


def test_every_code_that_is_raised_is_in_the_catalogue_and_of_the_class_that_raises_it() -> None:
    raised = raised_codes()
    families = {each.__name__: name for name, each in FAMILIES.items()}

    unknown = [each for each in raised if each[2] not in CATALOGUE]
    misplaced = [
        each
        for each in raised
        if each not in unknown and families.get(each[1]) not in (None, CATALOGUE[each[2]].family)
    ]

    assert len(raised) > 20
    assert unknown == []
    assert misplaced == []


def test_a_code_that_is_not_in_the_catalogue_is_a_defect() -> None:
    with pytest.raises(KeyError):
        Refused("no-such-code")
    with pytest.raises(KeyError):
        from_code("no-such-code")


@pytest.mark.parametrize(
    ("family", "status", "exit_code"),
    [(InvalidInput, 422, 2), (Refused, 403, 3), (Unavailable, 503, 4), (IntegrityError, 409, 5)],
)
def test_each_family_has_its_status_and_exit_code(family: type[SaphanError], status: int, exit_code: int) -> None:
    assert (family.status, family.exit_code) == (status, exit_code)


@pytest.mark.parametrize("code", ["setting-invalid", "ceremony-file", "root-pinned", "role-not-given"])
def test_an_english_detail_stands_quoted_at_the_end_of_the_thai_sentence(code: str) -> None:
    reason = from_code(code, setting="x", file="x", role="x", why="it is so", what="it is so").reasons[0]
    assert reason.message_th.endswith("(รายละเอียด: “it is so”)")
