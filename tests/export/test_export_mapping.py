"""The tables of docs/integrations/ say what the code does: each row is a field that it writes, from where it says."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from sparkctl.app.export_pages import mapping_table
from sparkctl.export.catalogue import FORMATS
from sparkctl.export.fields import Field, Told
from sparkctl.export.severity import LEVEL_OF, SCALE_ROWS, SCALES, Level
from sparkctl.model.facets.fields import type_at
from sparkctl.model.facets.paths import from_text
from sparkctl.model.standing import NodeStanding
from sparkctl.model.vocabulary import Status
from tests.support.standings import exported

DOCS = Path(__file__).parents[2] / "docs"
FIELDS = [
    pytest.param(field, id=f"{form.name}:{field.target}")
    for form in FORMATS.values()
    for section in form.sections
    for field in section.fields
]


def test_every_source_is_a_field_of_a_facet() -> None:
    for field in (one.values[0] for one in FIELDS):
        assert isinstance(field, Field | Told)
        assert field.source
        for source in field.source.split(", "):
            if not source.startswith("("):
                type_at(from_text(source))


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_its_page_with_a_word_of_introduction(form: str) -> None:
    page = (DOCS / "integrations" / f"{form}.md").read_text("utf-8")
    before, _, after = page.partition("<!-- begin: generated")
    assert before.startswith("# ")
    for heading in ("## Load it", "## Identity", "## Not mapped"):
        assert heading in before
    assert mapping_table(form) in after
    assert f"integrations/{form}.md" in (DOCS / "exports.md").read_text("utf-8")


@pytest.mark.parametrize("form", [name for name in FORMATS if name not in ("prometheus", "otlp", "csv")])
def test_every_field_is_written_for_some_node(form: str, few: Sequence[NodeStanding]) -> None:
    """A row that no node ever fills is a promise, not a mapping; what a simulated node lacks is named here."""
    lacking = {
        "sku", "stale", "warned", "asset_tag", "values.asset_tag", "body.asset_tag", "content.bios.assettag",
        "content.bios.skunumber", "content.bios.msn", "memory", "ipaddress6", "display_values.location",
    }  # fmt: skip
    text = exported(form, few)
    for section in FORMATS[form].sections:
        for field in section.fields:
            name = field.target.rpartition(".")[2]
            if form in ("syslog", "cef", "leef") and section.title == "The header":
                continue
            if field.target not in lacking and field.target != "MSG":
                assert re.search(rf'"?{re.escape(name)}"?[=:]', text), field.target


def test_every_status_has_a_level_and_every_level_a_scale() -> None:
    assert set(LEVEL_OF) == set(Status)
    assert set(SCALES) == set(Level) == {level for level, _ in SCALE_ROWS}


def test_nothing_is_lost_between_a_row_and_a_record(founders: NodeStanding) -> None:
    (servicenow,) = map(json.loads, exported("servicenow", [founders]).splitlines())
    values = servicenow["items"][0]["values"]
    assert values["os_service_pack"] == founders.fact("os")["dgx"]["version"]
    assert values["ram"] == str(founders.fact("hardware")["memory"]["total_bytes"] // 2**20)
    assert values["serial_number"] == founders.fact("identity")["serial"]
