"""What is exported is what other systems take: held against their schemas, or ours of them, without a network."""

import csv
import ipaddress
import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format  # type: ignore[import-untyped]
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema  # type: ignore[import-untyped]
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from packageurl import PackageURL

from sparkctl.contract.vendor import pieces, read_vendor
from sparkctl.export.ecs import ECS_VERSION
from sparkctl.export.ocsf import COMPLIANCE_FINDING, INVENTORY_INFO, OCSF_VERSION
from sparkctl.model.standing import NodeStanding
from tests.support.standings import exported

SCHEMAS = Path(__file__).parent / "schemas"


@cache
def _ours(name: str) -> Draft202012Validator:
    return Draft202012Validator(
        yaml.safe_load((SCHEMAS / f"{name}.yaml").read_text("utf-8")),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


@cache
def _ocsf(class_uid: int) -> Any:
    schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(OCSF_VERSION))
    schema = schemas.get_class_schema(schemas.lookup_class_name_from_uid(class_uid))
    return validator_for(schema)(schema)


def lines(text: str) -> Iterator[Any]:
    return map(json.loads, text.splitlines())


def complaints(validator: Any, document: Any) -> list[str]:
    return [f"{'.'.join(map(str, found.absolute_path))}: {found.message}" for found in validator.iter_errors(document)]


def ocsf(text: str) -> None:
    found = list(lines(text))
    assert {one["class_uid"] for one in found} <= {INVENTORY_INFO, COMPLIANCE_FINDING}
    for document in found:
        assert complaints(_ocsf(document["class_uid"]), document) == []
        assert document["type_uid"] == document["class_uid"] * 100 + document["activity_id"]


def ours(name: str) -> Callable[[str], None]:
    def check(text: str) -> None:
        documents = list(lines(text))
        assert documents
        for document in documents:
            assert complaints(_ours(name), document) == []

    return check


def _leaves(document: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict) and name != "labels":
            yield from _leaves(value, (*path, name))
        else:
            yield ".".join((*path, name)), value


def _is_of(kind: str, value: Any) -> bool:
    match kind:
        case "long":
            return type(value) is int
        case "ip":
            return bool(ipaddress.ip_address(value))
        case "object":
            return all(isinstance(one, str) for one in value.values())
        case "date":
            return isinstance(value, str) and value.endswith("Z")
        case _:
            return isinstance(value, str) and bool(value)


def ecs(text: str) -> None:
    with (SCHEMAS / "ecs_fields.csv").open(encoding="utf-8") as file:
        fields = {row["field"]: row for row in csv.DictReader(file)}
    for document in lines(text):
        assert document["ecs"]["version"] == ECS_VERSION
        for name, value in _leaves({key: value for key, value in document.items() if key != "sparkctl"}):
            field = fields[name]
            values = value if field["list"] else [value]
            assert isinstance(values, list)
            assert all(_is_of(field["type"], one) for one in values), (name, value)


def cyclonedx(text: str) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for text_line in text.splitlines():
        assert validator.validate_str(text_line) is None
        document = json.loads(text_line)
        references = [component["bom-ref"] for component in document.get("components", [])]
        assert len(references) == len(set(references))
        for component in document.get("components", []):
            if "purl" in component:
                parsed = PackageURL.from_string(component["purl"])
                assert parsed.to_string() == component["purl"]
                assert parsed.version == component["version"]


def otlp(text: str) -> None:
    for text_line in text.splitlines():
        kind: Any = MetricsData if "resourceMetrics" in json.loads(text_line) else LogsData
        parsed = json_format.Parse(text_line, kind())
        whole = parsed.resource_metrics if kind is MetricsData else parsed.resource_logs
        assert [one.key for one in whole[0].resource.attributes].count("host.id") == 1


def orchestrator(text: str) -> None:
    for piece in pieces(text.encode()):
        assert read_vendor(piece.text).shape == "orchestrator"


def csv_table(text: str) -> None:
    head, *rows = csv.reader(text.splitlines(), strict=True)
    assert len(set(head)) == len(head)
    assert {len(row) for row in rows} == {len(head)}


CHECKS: dict[str, Callable[[str], None]] = {
    "ocsf": ocsf,
    "ecs": ecs,
    "splunk": ours("splunk"),
    "servicenow": ours("servicenow"),
    "netbox": ours("netbox"),
    "glpi": ours("glpi"),
    "snipeit": ours("snipeit"),
    "cyclonedx": cyclonedx,
    "cyclonedx-sbom": cyclonedx,
    "otlp": otlp,
    "orchestrator": orchestrator,
    "csv": csv_table,
}


@pytest.mark.parametrize("form", CHECKS)
def test_little_and_much_is_told_in_the_right_form(form: str, few: Sequence[NodeStanding]) -> None:
    text = exported(form, few)
    assert text
    CHECKS[form](text)


@pytest.mark.slow
@pytest.mark.parametrize("form", CHECKS)
def test_every_make_and_fault_is_told_in_the_right_form(form: str, whole_lab: Sequence[NodeStanding]) -> None:
    CHECKS[form](exported(form, whole_lab))


def test_our_schemas_are_schemas_and_refuse_something() -> None:
    for path in SCHEMAS.glob("*.yaml"):
        Draft202012Validator.check_schema(yaml.safe_load(path.read_text("utf-8")))
        assert complaints(_ours(path.stem), {"surprise": True})
