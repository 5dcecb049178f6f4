"""A contract drafted from the names and types that a table declares: strict, and never signed by oversight."""

from datetime import UTC, datetime

import pytest

from connectors.draft import UNDECIDED, Drafted, Wanted, draft
from connectors.draft_guess import guess, is_identifier
from connectors.sources import SourceColumn
from contracts.dataset import DatasetContract, Grain, ProtectAt, Tier
from contracts.errors import InvalidInput
from contracts.odcs import examine_text, read_contract
from tests.factories import NOW

pytestmark = pytest.mark.unit


def column(name: str, kind: str | None = "string", *, required: bool = False, key: bool = False) -> SourceColumn:
    return SourceColumn(name, kind, required, key)


COLUMNS = (
    column("case_id", required=True, key=True),
    column("suspect_id", required=True),
    column("province"),
    column("offence"),
    column("victim_sex"),
    column("age", "integer"),
    column("reported_at", "timestamp", required=True),
    column("closed_on", "date"),
    column("amount", "number"),
    column("phone_1"),
    column("remark"),
    column("Officer Name"),
)


def drafted(*columns: SourceColumn, **wanted: str) -> Drafted:
    return draft(Wanted("ccib", wanted.pop("table", "fraud_case"), **wanted), columns or COLUMNS, NOW)


def decided(each: Drafted, person: str = "suspect_id") -> DatasetContract:
    """The draft after a person decided what only a person can decide."""
    return read_contract(each.text.replace("status: draft", "status: active").replace(UNDECIDED, person))


def test_a_draft_breaks_those_rules_alone_that_a_person_must_decide() -> None:
    each = drafted()

    assert {finding.rule for finding in each.open_rules} == {"status-active", "unit-column"}
    assert examine_text(each.text) == (None, each.open_rules)
    assert decided(each).unit.column == "suspect_id"


def test_codes_are_matched_by_name_to_lists_and_nothing_else_is_offered() -> None:
    contract = decided(drafted())

    assert {each.name: (each.column, each.code_list) for each in contract.dimensions} == {
        "province": ("province", "provinces"),
        "police_region": ("province", "police_commands"),
        "offence_group": ("offence", "offence_groups"),
        "sex": ("victim_sex", "sex_codes"),
        "age_band": ("age", "age_bands"),
        "month": ("reported_at", None),
    }
    assert contract.measures == ("count", "people")


def test_everything_that_may_be_weighed_stands_on_the_strict_side() -> None:
    contract = decided(drafted())

    assert (contract.privacy.protect_at, contract.privacy.nano_rho_per_window) == (ProtectAt.CONNECTOR, 10_000_000)
    assert (contract.tiers, contract.purposes) == ((Tier.STATISTICS,), ("justice-statistics",))
    assert (contract.unit.rows_per_window, contract.retention_days, contract.max_dimensions) == (1, 365, 2)
    assert (contract.pdpa.classification, contract.government.dga_level) == ("sensitive", "CONFIDENTIAL")
    assert (contract.agency, contract.source) == ("ccib", "ccib/fraud_case")


def test_every_decision_is_told_in_both_languages_and_stands_in_the_draft() -> None:
    each = drafted()

    assert [one.topic for one in each.decisions][:3] == ["person", "rows", "event"]
    for one in each.decisions:
        assert f"# DECIDE: {one.say.en}\n" in each.text
        assert f"# ต้องตัดสินใจ: {one.say.th}\n" in each.text
    told = {one.topic: one.say.en for one in each.decisions}
    assert told["person"].endswith("suspect_id, phone_1, remark.")
    assert told["columns"].endswith("closed_on, amount.")
    assert told["names"].endswith("Officer Name.")
    assert told["event"].endswith("Others: closed_on.")


@pytest.mark.parametrize(
    "name",
    ["id", "person_id", "case_no", "citizen_number", "first_name", "fname", "phone", "tel_2", "mobile1", "account_no",
     "from_hash", "email", "home_address", "lat", "birth_date", "dob", "passport", "licence_plate", "remarks",
     "user_agent", "ip", "url", "photo"],
)  # fmt: skip
def test_what_looks_like_an_identifier_is_one_and_never_offered(name: str) -> None:
    assert is_identifier(name)
    assert guess(column(name)).classification == "direct-identifier"
    assert guess(column(f"{name}_province")).dimensions == ()


@pytest.mark.parametrize("name", ["province", "nothing", "amount", "casual", "identity_free", "hold_minutes"])
def test_a_part_of_a_word_makes_no_identifier(name: str) -> None:
    assert not is_identifier(name)


@pytest.mark.parametrize(
    ("name", "kind", "lists"),
    [
        ("changwat", "string", ("provinces", "police_commands")),
        ("suspect_prov_code", "integer", ("provinces", "police_commands")),
        ("gender", "string", ("sex_codes",)),
        ("offender_age", "integer", ("age_bands",)),
        ("offender_age", None, ("age_bands",)),
        ("age", "string", ()),
        ("province", "number", ()),
        ("province", "date", ()),
        ("status", "string", ()),
        ("result", "string", ()),
        ("colour", "string", ()),
    ],
)
def test_a_name_is_matched_where_the_type_allows_and_where_it_means_one_thing(
    name: str, kind: str | None, lists: tuple[str, ...]
) -> None:
    assert set(guess(column(name, kind)).lists) == set(lists)


def test_an_unknown_column_is_sensitive_and_a_time_is_a_quasi_identifier() -> None:
    assert guess(column("colour")).classification == "sensitive"
    assert guess(column("closed_on", "date")).classification == "quasi-identifier"
    assert guess(column("reported_at")).type == "timestamp"
    assert guess(column("reported_date", None)).type == "date"
    assert guess(column("reported_at", "integer")).type == "integer"


def test_two_columns_of_one_meaning_have_dimensions_of_two_names() -> None:
    contract = decided(drafted(*COLUMNS, column("sex"), column("holder_province")))

    names = [each.name for each in contract.dimensions]
    assert len(names) == len(set(names))
    assert {"sex", "sex_sex", "holder_province_province"} <= set(names)


def test_the_likeliest_time_is_proposed_and_another_can_be_named() -> None:
    assert decided(drafted()).event_time == "reported_at"
    assert decided(drafted(event_time="closed_on")).event_time == "closed_on"
    named = decided(
        drafted(column("case_id", key=True), column("suspect_id", required=True), column("seen"), event_time="seen")
    )
    assert (named.event_time, [each.grain for each in named.dimensions]) == ("seen", [Grain.MONTH])


def test_the_key_is_the_declared_one_or_the_one_that_names_say() -> None:
    plain = (column("seen_at"), column("suspect_id", required=True))

    assert decided(drafted(*plain, column("id"))).row_key == "id"
    assert decided(drafted(*plain, column("fraud_case_no"))).row_key == "fraud_case_no"
    assert decided(drafted(*plain, column("docket"), row_key="docket")).row_key == "docket"
    with pytest.raises(InvalidInput, match="draft-without-row-key"):
        drafted(*plain, column("docket"))


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"table": "Fraud Case"}, "name-not-usable"),
        ({"row_key": "Officer Name"}, "name-not-usable"),
        ({"event_time": "Officer Name"}, "name-not-usable"),
        ({"row_key": "missing"}, "source-mismatch"),
        ({"event_time": "missing"}, "source-mismatch"),
        ({"event_time": "amount"}, "draft-without-event-time"),
    ],
)
def test_what_a_contract_cannot_say_is_refused(wanted: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidInput, match=code):
        drafted(**wanted)


def test_a_table_without_any_time_is_refused() -> None:
    with pytest.raises(InvalidInput, match="draft-without-event-time"):
        drafted(column("case_id", key=True), column("province"))


@pytest.mark.parametrize(
    ("now", "months"),
    [
        (datetime(2026, 9, 30, 16, 59, tzinfo=UTC), ("2025-10", "2026-09")),
        (datetime(2026, 9, 30, 17, 0, tzinfo=UTC), ("2026-10", "2027-09")),
    ],
)
def test_the_months_are_those_of_the_fiscal_year_in_bangkok(now: datetime, months: tuple[str, str]) -> None:
    contract = decided(draft(Wanted("ccib", "fraud_case"), COLUMNS, now))

    assert (contract.first_month, contract.last_month) == months
