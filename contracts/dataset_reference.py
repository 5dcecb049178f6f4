"""The bundled contracts as a page of the reference: ``python -m contracts.dataset_reference`` prints it."""

from collections.abc import Iterator, Mapping

from contracts.code_lists import code_list
from contracts.dataset import DatasetContract, Dimension, MeasureColumn
from contracts.odcs import bundled_ids, bundled_text, read_contract
from contracts.odcs_yaml import parse

HEAD = """# Datasets

The {number} dataset contracts that come with the program, in contracts/datasets/. This page is made from them.
`saphan contract show ID` prints one with all its clamps; [contract-format.md](contract-format.md) says how they are
written. What a promise does not protect stands under *Limits*.

| dataset | name | agency | protects | rows a year | noise at | nano-rho a year | level | tiers |
|---|---|---|---|---|---|---|---|---|
"""


ROW_IS_PERSON = " (no key: each row is a person / ไม่มีรหัสบุคคล แต่ละแถวถือเป็นหนึ่งคน)"


def page() -> str:
    """The page, in Markdown: one table over all datasets, then a section for each."""
    contracts = [read_contract(bundled_text(each)) for each in bundled_ids()]
    rows = "".join(f"{_row(each)}\n" for each in contracts)
    sections = ("\n".join(_section(each)) for each in contracts)
    return HEAD.format(number=len(contracts)) + rows + "\n" + "\n".join(sections)


def _row(contract: DatasetContract) -> str:
    privacy, unit = contract.privacy, contract.unit
    cells = (
        f"[{contract.id}](#{contract.id})",
        f"{contract.title.th} / {contract.title.en}",
        contract.agency.upper(),
        f"{unit.person.th} / {unit.person.en}{'' if unit.column else ROW_IS_PERSON}",
        str(unit.most_rows),
        privacy.protect_at.value,
        f"{privacy.nano_rho_per_window:,}",
        code_list("data_classification").titles[contract.government.dga_level].th,
        ", ".join(tier.value for tier in contract.tiers),
    )
    return f"| {' | '.join(cells)} |"


def _section(contract: DatasetContract) -> Iterator[str]:
    yield f"## {contract.id}"
    yield f"{contract.title.th} / {contract.title.en}\n"
    said = _description(contract)
    yield f"{said['purpose']} {said['usage']}\n"
    yield f"*Limits:* {said['limitations']}\n"
    yield from _law(contract)
    yield f"\n*Dimensions* (at most {contract.max_dimensions} in one question): {_dimensions(contract)}\n"
    counted = contract.measures[: 1 if contract.unit.column is None else 2]
    yield f"*Measures:* {'; '.join((*counted, *map(_measure, contract.measure_columns)))}\n"


def _description(contract: DatasetContract) -> Mapping[str, str]:
    """What the document says for people, each part on one line."""
    description = parse(bundled_text(contract.id)).get("description")
    parts = description if isinstance(description, Mapping) else {}
    return {key: " ".join(str(parts.get(key, "")).split()) for key in ("purpose", "usage", "limitations")}


def _law(contract: DatasetContract) -> Iterator[str]:
    pdpa, government = contract.pdpa, contract.government
    reasons = f" (section 26: {', '.join(pdpa.section26)})" if pdpa.section26 else ""
    exemption = f", the agency itself exempt by {pdpa.exemption}" if pdpa.exemption else ""
    disclosed = "no section 24" if government.oia24 == "none" else f"section {government.oia24}"
    level = code_list("data_classification").titles[government.dga_level]
    yield f"- PDPA: {pdpa.classification}{reasons}{exemption}; purposes {', '.join(contract.purposes)}"
    yield f"- Official Information Act: {disclosed}; level {level.th} / {level.en}"
    months = f"{contract.first_month} to {contract.last_month}"
    yield f"- Source {contract.source}, months {months}; kept {contract.retention_days} days"
    if contract.pilot:
        yield f"- Pilot: only rows whose {contract.pilot.column} is one of {', '.join(contract.pilot.codes)}"
    if contract.feed_rows:
        yield f"- Feed: only rows whose {contract.feed_rows.column} is one of {', '.join(contract.feed_rows.codes)}"
    yield from _bounds(contract)
    yield from (f"- {each.role.capitalize()}: {each.name}" for each in contract.contacts)


def _bounds(contract: DatasetContract) -> Iterator[str]:
    """Where a person's rows may fall, and who is not protected."""
    shape, others = contract.unit.shape, contract.unit.others
    if shape:
        by = ", ".join(f"`{name}`" for name in shape.by)
        yield f"- Shape: at most {shape.rows} a cell of {by}, in at most {shape.cells} cells a fiscal year"
    if others:
        yield f"- Not protected: {'; '.join(f'{each.th} / {each.en}' for each in others)}"


def _dimensions(contract: DatasetContract) -> str:
    return "; ".join(
        f"`{each.name}` {each.title.th} / {each.title.en} ({_labels(each)})" for each in contract.dimensions
    )


def _labels(dimension: Dimension) -> str:
    return dimension.grain.value if dimension.grain else f"{len(dimension.values)} codes"


def _measure(column: MeasureColumn) -> str:
    low, high = column.clamp
    by = f", narrower for {len(column.clamps)} codes of `{column.clamp_by}`" if column.clamps else ""
    names = f"`{column.column}` {column.title.th} / {column.title.en}"
    kinds = ", ".join((*column.kinds, *(f"per {other}" for other in column.per)))
    bins = f", {len(column.bins) + 1} bins" if column.bins else ""
    return f"{names} ({kinds}; {low:,} to {high:,} {column.unit} a row{by}{bins})"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201  # a program that prints
