"""The published JSON Schemas are those of the values."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from contracts.errors import Refused
from contracts.values import Value
from contracts.wire_schemas import FOLDER, WIRE, files, schema_of, write
from tests.factories import agreement, contract, federation, query, request

pytestmark = pytest.mark.unit

EXAMPLES: dict[str, Value] = {
    "agreement": agreement(),
    "dataset-contract": contract(),
    "federation": federation().federation,
    "problem": Refused("budget-exceeded").problem(),
    "query": query(),
    "request": request(),
}


def test_the_files_are_those_of_the_values_so_run_python_m_contracts_wire_schemas() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == files()


def test_writing_gives_those_files(tmp_path: Path) -> None:
    write(tmp_path)

    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == files()


@pytest.mark.parametrize("name", sorted(WIRE))
def test_every_schema_is_one(name: str) -> None:
    schema = schema_of(name)

    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:saphan:schema:{name}"
    assert schema["description"]


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_value_fits_its_schema_and_unknown_keys_do_not(name: str) -> None:
    validator = Draft202012Validator(schema_of(name))
    sent = json.loads(EXAMPLES[name].model_dump_json(by_alias=True))

    validator.validate(sent)

    with pytest.raises(ValidationError, match="Additional properties"):
        validator.validate(sent | {"sql": "SELECT 1"})
