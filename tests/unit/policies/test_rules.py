"""The rules as texts: they fit their schema, speak both languages, have one digest, and fail closed."""

import re
from collections.abc import Callable

import cedarpy
import pytest

from contracts.error_catalogue import CATALOGUE
from contracts.errors import Refused
from policies.rules import ACTS, EXCHANGE, FILES, SCHEMA, digest, installed, installed_texts, rules_of
from tests.policy_cases import ASKS, DEEDS, Ask, Deed

pytestmark = pytest.mark.unit

CASES: tuple[tuple[str, Callable[..., object]], ...] = ((EXCHANGE, Ask("").decide), (ACTS, DEEDS[0].decide))
CASES_OF_BOTH: tuple[Ask | Deed, ...] = (*ASKS, *DEEDS)


def texts(**changes: str) -> dict[str, str]:
    """The installed texts, with changes by the first word of a file's name."""
    return {name: changes.get(name.partition(".")[0], text) for name, text in installed_texts().items()}


def ids_of(kind: str) -> list[str]:
    """The names of all policies of a kind, ``permit`` or ``forbid``, in the texts."""
    whole = "".join(text for name, text in installed_texts().items() if name != SCHEMA)
    return re.findall(rf'^@id\("([a-z-]+)"\)\n{kind} \(', whole, flags=re.MULTILINE)


@pytest.mark.parametrize("name", [EXCHANGE, ACTS])
def test_the_policies_fit_their_schema(name: str) -> None:
    result = cedarpy.validate_policies(installed_texts()[name], installed_texts()[SCHEMA])

    assert result.validation_passed, result


def test_every_forbid_has_its_reason_in_thai_and_english() -> None:
    whole = "".join(text for name, text in installed_texts().items() if name != SCHEMA)

    assert len(ids_of("forbid")) == whole.count("\nforbid (") >= 26
    assert set(ids_of("forbid")) <= set(CATALOGUE)


def test_every_forbid_decides_a_case_alone() -> None:
    alone = {case.reasons[0] for case in CASES_OF_BOTH if len(case.reasons) == 1}

    assert set(ids_of("forbid")) <= alone


def test_every_permit_is_needed_by_a_case() -> None:
    assert len(ids_of("permit")) == 5
    for name in ids_of("permit"):
        without = {
            file: re.sub(rf'@id\("{name}"\)\npermit .*?;\n', "", text, flags=re.DOTALL)
            for file, text in installed_texts().items()
        }
        assert any(_denied(case, without) for case in CASES_OF_BOTH if not case.reasons), name


def _denied(case: Ask | Deed, changed: dict[str, str]) -> bool:
    answer = case.decide(rules_of(changed))
    reasons = answer if isinstance(answer, tuple) else getattr(answer, "reasons", ())
    return bool(reasons)


def test_the_digest_is_that_of_all_texts_and_of_nothing_else() -> None:
    whole = installed_texts()

    assert installed().digest == digest(whole) == digest(whole | {"notes.txt": "beside"})
    for name in FILES:
        assert digest(whole | {name: f"{whole[name]}// changed\n"}) != digest(whole)


@pytest.mark.parametrize("missing", FILES)
def test_rules_with_a_text_missing_are_no_rules(missing: str) -> None:
    with pytest.raises(Refused, match="policy-error"):
        rules_of({name: text for name, text in installed_texts().items() if name != missing})


@pytest.mark.parametrize("broken", ["permit (", 'permit (principal, action == Action::"ak", resource);'])
@pytest.mark.parametrize("file", ["exchange", "acts"])
def test_rules_that_cannot_be_read_or_name_what_the_schema_lacks_are_no_rules(file: str, broken: str) -> None:
    with pytest.raises(Refused, match="policy-error"):
        rules_of(texts(**{file: broken}))


def test_a_schema_that_cannot_be_read_makes_no_rules() -> None:
    with pytest.raises(Refused, match="policy-error"):
        rules_of(texts(schema="entity ;"))


@pytest.mark.parametrize(("file", "decide"), CASES)
def test_without_a_permit_the_answer_is_no(file: str, decide: Callable[..., object]) -> None:
    answer = decide(rules_of(texts(**{file.partition(".")[0]: ""})))

    assert getattr(answer, "reasons", answer) == ("no-rule-allows-this" if file == EXCHANGE else "not-allowed",)


@pytest.mark.parametrize(("file", "decide"), CASES)
def test_a_policy_that_errs_denies_even_beside_a_permit(file: str, decide: Callable[..., object]) -> None:
    """Cedar skips what errs: an addition that overflows would open the door."""
    erring = "forbid (principal, action, resource) when { 9223372036854775807 + 1 == 0 };"
    whole = texts(**{file.partition(".")[0]: f"permit (principal, action, resource);\n{erring}"})
    answer = decide(rules_of(whole))

    assert getattr(answer, "reasons", answer) == ("policy-error",)


@pytest.mark.parametrize(
    ("file", "decide", "was", "becomes"),
    [
        (*CASES[0], "now: Long,", "now: Long,\n    more: Bool,"),  # the question lacks an attribute
        (*CASES[0], "from: Long,", "from: Long,\n  more: Bool,"),  # an entity lacks an attribute
        (*CASES[1], "suspended: Bool }", "suspended: Bool, more: Bool }"),
        (*CASES[1], "lacksDecision: Bool", "lacksDecision: Bool, more: Bool"),
    ],
)
def test_what_does_not_fit_the_schema_denies(file: str, decide: Callable[..., object], was: str, becomes: str) -> None:
    changed = installed_texts()[SCHEMA].replace(was, becomes)
    answer = decide(rules_of(texts(schema=changed)))

    assert changed != installed_texts()[SCHEMA]
    assert getattr(answer, "reasons", answer) == ("policy-error",)


def test_an_entity_that_is_missing_denies() -> None:
    rules = installed()
    question = {
        "principal": {"type": "Agency", "id": "oja"},
        "action": {"type": "Action", "id": "ask"},
        "resource": {"type": "Use", "id": "x"},
        "context": {"now": 0, "purpose": "p", "measures": [], "dimensions": [], "nanoRho": 1},
    }

    assert rules.denials(EXCHANGE, [question], rules.entities([])) == {"policy-error"}


def test_without_a_question_nothing_is_permitted() -> None:
    rules = installed()

    assert rules.denials(EXCHANGE, [], rules.entities([])) == {"no-rule-allows-this"}
