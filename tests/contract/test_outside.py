"""The published schemas alone tell good documents from bad ones."""

import json

import pytest
from jsonschema import Draft202012Validator

from sparkctl.contract.generated import DOCUMENTS, json_schema
from sparkctl.contract.outside import NAME_OF_SCHEMA, complaint_about, complaints
from tests.support.envelopes import envelope, finding, reported, unreported


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(json_schema(name))


def test_every_schema_that_a_document_names_is_known() -> None:
    fields = (model.model_fields for model in DOCUMENTS.values())
    named = {field.default for each in fields for field in each.values() if field.alias == "schema"}
    assert named - {None} <= NAME_OF_SCHEMA.keys()
    assert set(NAME_OF_SCHEMA.values()) == set(DOCUMENTS)


def test_good_documents_pass() -> None:
    lines = [
        reported("spark01", finding(value=1.5, unit="%")).model_dump_json(),
        unreported("spark02").model_dump_json(),
        json.dumps(envelope()),
    ]
    assert list(complaints("\n".join(lines).encode())) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"schema":"sparkctl.run-record/1"}', "required"),
        ('{"schema":"of/another"}', "names no schema of ours"),
        ("[1]", "names no schema of ours"),
        ("{", "not JSON"),
        ('{"schema":{"a":1}}', "names no schema of ours"),
    ],
)
def test_bad_documents_do_not(line: str, words: str) -> None:
    complaint = complaint_about(line.encode())
    assert complaint is not None
    assert words in complaint


def test_a_control_character_is_refused_by_the_schema_too() -> None:
    document = envelope()
    document["data"]["findings"][0]["summary"] = "\x1b[2J"
    assert "summary" in (complaint_about(json.dumps(document).encode()) or "")


def test_complaints_name_the_line() -> None:
    text = reported("spark01").model_dump_json() + "\n\n{}\n"
    assert [number for number, _ in complaints(text.encode())] == [3]
