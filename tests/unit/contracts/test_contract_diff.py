"""What differs between two versions of a contract: each change with its rule, and what the version must be."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from contracts.contract_diff import RULES, Comparison, Version, compare
from contracts.contract_versions import Bump, check_version, least_version, required_bump
from contracts.dataset import (
    DatasetContract,
    Dimension,
    FeedRows,
    GovernmentTerms,
    Grain,
    PdpaTerms,
    Pilot,
    PrivacyTerms,
    ProtectAt,
    Shape,
    Tier,
)
from contracts.errors import InvalidInput, Refused
from contracts.odcs import bundled_ids, bundled_text, canonical_document, read_contract
from tests.factories import DIMENSIONS, contract, damage, dimension, text

pytestmark = pytest.mark.unit

OLD = contract(pilot=Pilot(column="province", codes=("10", "50")), disjoint_from=("dop_case",))
SHAPE = Shape(by=("month", "case_type"), rows=1, cells=2)
COLUMNS: dict[str, dict[str, object]] = {
    "complaint_id": {"name": "complaint_id", "classification": "direct-identifier", "required": True},
    "province": {"name": "province", "classification": "internal", "description": "where"},
}


def document(columns: Iterable[Mapping[str, object]] = tuple(COLUMNS.values()), /, **top: object) -> dict[str, object]:
    """The parts of a contract document that the comparison reads."""
    extras = {"codeLists": top.pop("codeLists", {"provinces": "sha-256:aa"})} | {"catalogue": {"objective": "x"}}
    properties = [{"property": name, "vendor": "saphan", "value": value} for name, value in extras.items()]
    table = {"name": "t", "properties": list(columns), "quality": top.pop("quality", [])}
    return {"version": "1.0.0", "schema": [table], "customProperties": properties, "description": "words"} | top


def told(new: DatasetContract, old: DatasetContract = OLD) -> list[tuple[str, str]]:
    changes = compare(Version(old, document()), Version(new, document())).changes
    return [(each.rule, each.path) for each in changes]


def documents_told(
    columns: Iterable[Mapping[str, object]] = tuple(COLUMNS.values()), /, **changes: object
) -> list[tuple[str, str]]:
    comparison = compare(Version(OLD, document()), Version(OLD, document(columns, **changes)))
    return [(each.rule, each.path) for each in comparison.changes]


def changed(**terms: object) -> DatasetContract:
    return OLD.model_copy(update=terms)


def privacy(**terms: object) -> PrivacyTerms:
    return OLD.privacy.model_copy(update=terms)


def other_dimension(name: str, **terms: object) -> tuple[Dimension, ...]:
    return tuple(each.model_copy(update=terms) if each.name == name else each for each in DIMENSIONS)


PAIRS = [
    ("privacy", privacy(nano_rho_per_window=2_000_000_000), "budget-raised", "budget-lowered"),
    ("privacy", privacy(delta="1e-5"), "delta-raised", "delta-lowered"),
    ("unit", OLD.unit.model_copy(update={"rows_per_window": 3}), "rows-raised", "rows-lowered"),
    ("unit", OLD.unit.model_copy(update={"column": None}), "unit-removed", "unit-added"),
    ("unit", OLD.unit.model_copy(update={"shape": SHAPE}), "shape-narrowed", "shape-widened"),
    ("unit", OLD.unit.model_copy(update={"others": (text("suspect"),)}), "others-added", "others-removed"),
    ("max_dimensions", 5, "dimensions-raised", "dimensions-lowered"),
    ("dimensions", (*DIMENSIONS, dimension("sex", ("m", "f"))), "dimension-added", "dimension-removed"),
    ("dimensions", other_dimension("province", values=("10", "50", "90", "91")), "codes-added", "codes-removed"),
    ("measure_columns", (damage(), damage(column="lost_thb", kinds=("sum",))), "measure-added", "measure-removed"),
    ("measure_columns", (damage(clamp=(0, 200_000)),), "clamp-widened", "clamp-narrowed"),
    ("measure_columns", (damage(bins=(10,)),), "bins-added", "bins-removed"),
    ("measure_columns", (damage(kinds=("sum", "mean", "median")),), "measure-added", "measure-removed"),
    ("measure_columns", (damage(per=("asked",)),), "measure-added", "measure-removed"),
    ("first_month", "2020-10", "coverage-earlier", "months-removed"),
    ("last_month", "2027-09", "coverage-later", "months-removed"),
    ("purposes", ("crime-prevention", "public-information"), "purpose-added", "purpose-removed"),
    ("legal_basis", ("pdpa-24-4", "pdpa-24-1"), "legal-basis-added", "legal-basis-removed"),
    ("tiers", (Tier.STATISTICS, Tier.FEED), "tier-added", "tier-removed"),
    ("enforcement_values", {"case_type": ("shopping_scam",)}, "enforcement-added", "enforcement-removed"),
    ("disjoint_from", ("dop_case", "crimes_case"), "disjoint-added", "disjoint-removed"),
    ("retention_days", 9999, "retention-longer", "retention-shorter"),
    ("pilot", None, "pilot-widened", "pilot-narrowed"),
    ("pilot", Pilot(column="province", codes=("10", "50", "90")), "pilot-widened", "pilot-narrowed"),
    ("feed_rows", FeedRows(column="province", codes=("10", "50", "90")), "feed-rows-narrowed", "feed-rows-widened"),
    ("pdpa", PdpaTerms(classification="personal"), "classified-lower", "classified-higher"),
    ("pdpa", PdpaTerms(classification="sensitive", exemption="s4-5"), "exemption-changed", "exemption-dropped"),
    ("government", GovernmentTerms(oia24="24(3)", dga_level="INTERNAL"), "classified-lower", "classified-higher"),
]


@pytest.mark.parametrize(
    ("field", "value", "forth", "back"), PAIRS, ids=[f"{each[2]}-{n}" for n, each in enumerate(PAIRS)]
)
def test_a_term_that_changes_is_told_by_its_rule_in_both_directions(
    field: str, value: object, forth: str, back: str
) -> None:
    assert [rule for rule, _ in told(changed(**{field: value}))] == [forth]
    assert [rule for rule, _ in told(OLD, changed(**{field: value}))] == [back]


OTHERS: list[tuple[str, object, str]] = [
    ("unit", OLD.unit.model_copy(update={"column": "suspect_key"}), "unit-changed"),
    ("unit", OLD.unit.model_copy(update={"person": text("suspect")}), "person-changed"),
    ("source", "ccib/other", "source-changed"),
    ("table", "other", "table-changed"),
    ("row_key", "other_id", "row-key-changed"),
    ("event_time", "reported_at", "event-time-changed"),
    ("dimensions", other_dimension("province", column="victim_province"), "dimension-derived"),
    ("dimensions", other_dimension("hour", grain=Grain.WEEKDAY), "dimension-derived"),
    ("dimensions", other_dimension("province", title=text("Home province")), "dimension-title"),
    ("measure_columns", (damage(unit="USD"),), "measure-meaning"),
    ("government", GovernmentTerms(oia24="24(2)", dga_level="CONFIDENTIAL"), "disclosure-law-changed"),
]


@pytest.mark.parametrize(("field", "value", "rule"), OTHERS, ids=[f"{each[2]}-{n}" for n, each in enumerate(OTHERS)])
def test_a_term_that_became_another_is_told_by_its_rule(field: str, value: object, rule: str) -> None:
    assert [each for each, _ in told(changed(**{field: value}))] == [rule]


def test_noise_that_is_added_later_weakens_and_earlier_does_not() -> None:
    inside = changed(privacy=privacy(protect_at=ProtectAt.CONNECTOR))

    assert told(OLD, inside) == [("protected-later", "differentialPrivacy.protectAt")]
    assert told(inside) == [("protected-earlier", "differentialPrivacy.protectAt")]


def test_section_26_data_that_is_no_longer_named_weakens() -> None:
    sensitive = changed(pdpa=PdpaTerms(classification="sensitive", section26=("health",)))

    assert told(OLD, sensitive) == [("classified-lower", "pdpa.section26.health")]


def test_another_column_of_the_pilot_widens_and_narrows_it() -> None:
    other = changed(pilot=Pilot(column="station", codes=("10",)))

    assert [rule for rule, _ in told(other)] == ["pilot-widened", "pilot-narrowed"]


def test_the_clamp_of_each_code_is_compared_with_the_one_it_had() -> None:
    old = changed(
        measure_columns=(damage(clamp_by="case_type", clamps={"romance_scam": (0, 50), "call_center": (0, 60)}),)
    )
    new = changed(
        measure_columns=(damage(clamp_by="case_type", clamps={"romance_scam": (0, 70), "call_center": (0, 10)}),)
    )

    assert told(new, old) == [
        ("clamp-narrowed", "measures.damage_thb.clamp.call_center"),
        ("clamp-widened", "measures.damage_thb.clamp.romance_scam"),
    ]
    assert [rule for rule, _ in told(OLD, old)] == ["clamp-widened"] * 2
    assert [rule for rule, _ in told(old)] == ["clamp-narrowed"] * 2


def test_clamps_by_another_column_count_as_wider() -> None:
    old = changed(measure_columns=(damage(clamp_by="case_type", clamps={"romance_scam": (0, 50)}),))
    new = changed(measure_columns=(damage(clamp_by="province", clamps={"10": (0, 50)}),))

    assert told(new, old) == [("clamp-widened", "measures.damage_thb.clampBy")]


def test_a_clamp_that_moves_aside_counts_as_wider() -> None:
    assert told(changed(measure_columns=(damage(clamp=(-1, 10)),))) == [("clamp-widened", "measures.damage_thb.clamp")]


def test_what_stands_in_the_document_alone_is_compared_too() -> None:
    unmarked = {**COLUMNS["complaint_id"], "classification": "internal"}
    optional = {**COLUMNS["complaint_id"], "required": False}
    renamed = {**COLUMNS["province"], "description": "elsewhere"}

    assert documents_told([unmarked, COLUMNS["province"]]) == [
        ("identifier-unmarked", "schema.complaint_id.classification"),
        ("column-changed", "schema.complaint_id"),
    ]
    assert documents_told([optional, COLUMNS["province"]]) == [("column-changed", "schema.complaint_id")]
    assert documents_told([COLUMNS["complaint_id"]]) == [
        ("column-changed", "schema.province"),
        ("words", "schema.province.description"),
    ]
    assert documents_told(codeLists={"provinces": "sha-256:bb"}) == [("codes-meaning", "codeLists.provinces")]
    assert documents_told(quality=[{"metric": "rowCount"}]) == [("quality-changed", "schema.quality")]
    assert documents_told([COLUMNS["complaint_id"], renamed]) == [("words", "schema.province.description")]
    assert documents_told(description="other words", team={"name": "x"}) == [
        ("words", "description"),
        ("words", "team"),
    ]


def test_extras_of_others_are_words() -> None:
    foreign = {**COLUMNS["province"], "customProperties": [{"property": "x", "vendor": "other", "value": 1}]}

    assert documents_told([COLUMNS["complaint_id"], foreign]) == [("words", "schema.province.customProperties")]


def test_a_column_that_is_gone_is_no_identifier_that_lost_its_mark() -> None:
    assert documents_told([COLUMNS["province"]]) == [("column-changed", "schema.complaint_id")]


@pytest.mark.parametrize("broken", [{"schema": None}, {"schema": []}, {"customProperties": {"a": 1}}], ids=str)
def test_a_document_that_is_shaped_otherwise_is_still_compared(broken: dict[str, object]) -> None:
    assert documents_told(**broken)


def test_two_datasets_are_not_compared() -> None:
    other = contract(id="other_set")

    with pytest.raises(InvalidInput, match="contracts-of-two-datasets"):
        compare(Version(OLD, {}), Version(other, {}))


def test_every_change_shows_what_stood_and_stands_there_in_both_languages() -> None:
    (change,) = compare(Version(OLD, {}), Version(changed(first_month="2020-10"), {})).changes

    assert (change.before, change.after, change.weakens, change.breaks) == ("2021-10", "2020-10", True, False)
    assert change.say == RULES["coverage-earlier"].say


def test_long_values_are_shown_in_part() -> None:
    (change,) = compare(Version(OLD, document()), Version(OLD, document(description="x" * 500))).changes

    assert change.after == "x" * 199 + "…"


@pytest.mark.parametrize("dataset", bundled_ids())
def test_a_bundled_contract_does_not_differ_from_itself(dataset: str) -> None:
    version = Version.of(read_contract(bundled_text(dataset)), canonical_document(bundled_text(dataset)))

    assert compare(version, version).changes == ()


def test_an_edited_contract_is_compared_whole() -> None:
    yaml = bundled_text("dop_case")
    edited = yaml.replace("version: 1.0.0", "version: 1.0.1").replace("purpose: ", "purpose: Anew. ", 1)
    old, new = (Version.of(read_contract(each), canonical_document(each)) for each in (yaml, edited))
    comparison = compare(old, new)

    assert [(each.rule, each.path) for each in comparison.changes] == [("words", "description")]
    assert required_bump(comparison) is Bump.PATCH
    check_version(comparison)


# ---------------------------------------------------------------- versions
def between(old_version: str, new_version: str, **terms: object) -> Comparison:
    old = OLD.model_copy(update={"version": old_version})
    return compare(
        Version(old, document()), Version(old.model_copy(update={"version": new_version} | terms), document())
    )


WEAKER: dict[str, object] = {"first_month": "2020-10"}
BREAKING: dict[str, object] = {"max_dimensions": 1}
TIGHTER: dict[str, object] = {"retention_days": 30}


@pytest.mark.parametrize(
    ("terms", "bump", "least"),
    [
        (WEAKER, Bump.MAJOR, "2.0.0"),
        (BREAKING, Bump.MAJOR, "2.0.0"),
        (WEAKER | TIGHTER, Bump.MAJOR, "2.0.0"),
        (TIGHTER, Bump.MINOR, "1.3.0"),
        ({}, Bump.PATCH, "1.2.4"),
    ],
)
def test_the_version_rises_by_what_changed(terms: dict[str, object], bump: Bump, least: str) -> None:
    assert required_bump(between("1.2.3", "9.0.0", **terms)) is bump
    assert least_version("1.2.3", bump) == least
    check_version(between("1.2.3", least, **terms))
    check_version(between("1.2.3", "9.0.0", **terms))


@pytest.mark.parametrize(
    ("terms", "version", "codes"),
    [
        (WEAKER, "1.9.0", ["contract-weaker-than-version"]),
        (BREAKING, "1.3.0", ["contract-breaks-under-version"]),
        (WEAKER | BREAKING, "1.2.4", ["contract-weaker-than-version", "contract-breaks-under-version"]),
        (TIGHTER, "1.2.4", ["contract-version-too-low"]),
        ({}, "1.2.3", ["contract-version-not-higher"]),
        (WEAKER, "1.2.2", ["contract-version-not-higher"]),
        ({}, "0.9.9", ["contract-version-not-higher"]),
    ],
)
def test_a_version_that_rises_too_little_is_refused(terms: dict[str, object], version: str, codes: list[str]) -> None:
    with pytest.raises(Refused) as raised:
        check_version(between("1.2.3", version, **terms))

    assert [each.code for each in raised.value.reasons] == codes
    assert "-" not in raised.value.details.values()


def test_versions_are_numbers_and_not_text() -> None:
    check_version(between("1.9.0", "1.10.0", **TIGHTER))


def test_the_refusal_names_where_privacy_weakens_and_the_version_that_would_do() -> None:
    many = WEAKER | {"purposes": tuple(f"purpose-{n}" for n in range(9)), "retention_days": 9999}

    with pytest.raises(Refused) as raised:
        check_version(between("1.0.0", "1.1.0", **many))

    message = raised.value.reasons[0]
    assert "coverage.firstMonth, pdpa.purposes.purpose-0" in message.message_en
    assert "(+6)" in message.message_en
    assert "2.0.0" in message.advice_th


IN_THE_DOCUMENT = {"title", "contacts", "email", "about", "keywords", "catalogue"}
"""Words, which the comparison of the documents finds."""


def test_no_term_of_a_contract_is_left_out_of_the_comparison() -> None:
    identity = {"id", "agency", "version", "digest"}
    compared = {each[0] for each in (*PAIRS, *OTHERS)}

    assert set(DatasetContract.model_fields) == identity | IN_THE_DOCUMENT | compared


def test_every_rule_that_the_comparison_tells_is_in_the_table_and_the_other_way_round() -> None:
    source = "".join(
        Path(__file__).parents[3].joinpath("contracts", name).read_text(encoding="utf-8")
        for name in ("contract_diff.py", "contract_diff_document.py")
    )

    assert [rule for rule in RULES if f'"{rule}"' not in source] == []
