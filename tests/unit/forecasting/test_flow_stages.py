import pytest
from pydantic import ValidationError

from forecasting.flow.breaks import BreakKind, break_of, breaks
from forecasting.flow.stages import Stage, Step, stages
from tests.made_releases import bundled

pytestmark = pytest.mark.unit


def test_every_stage_is_an_axis_of_a_bundled_contract_and_of_its_agency() -> None:
    for stage in stages().values():
        contract = bundled(stage.dataset)
        dimension = contract.dimension(stage.axis)

        assert dimension is not None
        assert contract.agency == stage.agency
        assert set(stage.open) <= set(dimension.values)


def test_every_code_of_a_stage_is_open_or_has_left_it() -> None:
    pending = stages()["oag_case"]

    ordered = next(step for step in pending.step if step.name == "ordered")
    assert not ordered.is_passed_by("PENDING")
    assert ordered.is_passed_by("IND")
    assert not next(step for step in pending.step if step.name == "indicted").is_passed_by("NON")


def test_an_ended_complaint_is_not_counted_as_sent_and_the_step_says_at_least() -> None:
    sent = next(step for step in stages()["tpo_complaint"].step if step.name == "file-sent")

    assert sent.at_least
    assert not sent.is_passed_by("END")
    assert sent.is_passed_by("PROSECUTOR")


def test_a_code_that_no_list_has_is_refused() -> None:
    given = stages()["oag_case"].model_dump() | {"open": ("WAITING",)}

    with pytest.raises(ValidationError, match="WAITING"):
        Stage.model_validate(given)


@pytest.mark.parametrize("codes", [{}, {"codes": ("IND",), "without": ("PENDING",)}])
def test_a_step_names_either_who_passed_or_who_did_not(codes: dict[str, tuple[str, ...]]) -> None:
    title = stages()["oag_case"].title

    with pytest.raises(ValidationError):
        Step.model_validate({"name": "x", "title": title, **codes})


def test_every_break_names_a_code_of_its_contract() -> None:
    for each in breaks():
        dimension = bundled(each.dataset).dimension(each.axis) if each.axis else None

        assert not each.axis or (dimension is not None and each.code in dimension.values)


def test_the_narcotics_code_ends_the_old_rehabilitation_and_begins_the_new() -> None:
    old, new = break_of("dop_case", "type", "DRUG_OLD"), break_of("dop_case", "type", "DRUG_NEW")

    assert old is not None
    assert new is not None
    assert old.kind is BreakKind.ENDED
    assert new.first_month == "2022-01"
    assert break_of("tpo_complaint") is not None
    assert break_of("dop_case", "type", "ADULT") is None


def test_a_break_on_the_first_of_a_month_leaves_that_month_whole() -> None:
    opened = break_of("tpo_complaint")

    assert opened is not None
    assert opened.first_month == "2022-03"
