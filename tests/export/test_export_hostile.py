"""What a node says cannot leave the field that it stands in, whatever the format."""

import csv
import io
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pycef  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packageurl import PackageURL

from sparkctl.export import cef, csv_table, leef, prometheus, syslog
from sparkctl.export.bom import purl
from sparkctl.export.catalogue import FORMATS
from sparkctl.model.standing import NodeStanding
from tests.support.envelopes import finding
from tests.support.standings import exported, with_facet, with_findings

ANYTHING = st.text(st.characters(codec="utf-8"), max_size=40)
SHARP = st.text(st.sampled_from("\\|=\"']}\n\r\t, ;:{}[]<>%#+-@'`$ax1\u2028\u0085"), max_size=24)
HOSTILE = st.one_of(ANYTHING, SHARP)
EVIL = 'a|b=c\\d"e]f,g;<13>1 x=1 ${y} =cmd'


@settings(max_examples=50, deadline=None)
@given(HOSTILE, HOSTILE)
def test_cef_extensions_come_back_whole(first: str, second: str) -> None:
    text = f"msg={cef.extension(first)}|cs1={cef.extension(second)}"
    assert len(text.splitlines()) == 1
    # An equals sign that nothing escapes ends a key: there are the two of ours and no others.
    assert len(re.findall(r"(?<!\\)(?:\\\\)*=", text)) == 2
    plain = {"n": "\n", "r": "\r"}
    back = re.sub(r"\\(.)", lambda found: plain.get(found[1], found[1]), cef.extension(first))
    assert back == re.sub(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]", " ", first)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="\\|"), min_size=1, max_size=30))
def test_cef_is_read_by_an_independent_parser(value: str) -> None:
    parsed = pycef.parse(f"CEF:0|v|p|1|id|name|1|msg={cef.extension(value)} dvchost=h")
    assert parsed is not None
    assert (parsed["msg"].replace("\\=", "="), parsed["dvchost"]) == (value, "h")


@settings(max_examples=50, deadline=None)
@given(HOSTILE)
def test_cef_headers_keep_their_fields(value: str) -> None:
    parts = re.split(r"(?<!\\)(?:\\\\)*\|", f"CEF:0|{cef.header(value)}|end")
    assert (parts[0], parts[-1], len(parts)) == ("CEF:0", "end", 3)
    assert not set(cef.header(value)) & set("\n\r\u2028\u0085")


@settings(max_examples=50, deadline=None)
@given(HOSTILE, HOSTILE)
def test_leef_attributes_stay_apart(first: str, second: str) -> None:
    text = f"a={leef.attribute(first)}\tb={leef.attribute(second)}"
    assert [part.partition("=")[0] for part in text.split("\t")] == ["a", "b"]
    assert not set(text) & set("\n\r\u2028\u0085")


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for name, value in re.findall(r'(\w+)="((?:\\.|[^"\\\]])*)"', text):
        yield name, re.sub(r'\\([\\"\]])', r"\1", value)


@settings(max_examples=50, deadline=None)
@given(HOSTILE, HOSTILE)
def test_syslog_parameters_come_back_whole(first: str, second: str) -> None:
    text = f'[x@1 a="{syslog.parameter(first)}" b="{syslog.parameter(second)}"]'
    assert dict(_parameters(text)) == {"a": syslog.escape_controls(first), "b": syslog.escape_controls(second)}
    assert text.count("\n") == 0


@settings(max_examples=50, deadline=None)
@given(st.lists(HOSTILE, min_size=1, max_size=4))
def test_cells_come_back_whole_and_are_no_formula(values: list[str]) -> None:
    row = csv_table._row(map(csv_table.cell, values))
    (read,) = csv.reader(io.StringIO(row, newline=""), strict=True)
    for value, found in zip(values, read, strict=True):
        assert found in (value, f"'{value}")
        assert found.lstrip(" ")[:1] not in ("=", "+", "-", "@", "\t", "\r")


@settings(max_examples=50, deadline=None)
@given(HOSTILE)
def test_labels_of_metrics_come_back_whole(value: str) -> None:
    escaped = prometheus.label_value(value)
    assert "\n" not in escaped
    assert re.fullmatch(r'(?:\\[\\"n]|[^\\"\n])*', escaped)
    assert re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), escaped) == value


@settings(max_examples=50, deadline=None)
@given(
    st.text(st.sampled_from("abcxyz0129+.-"), min_size=1, max_size=20).map(lambda name: f"a{name}"),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
)
def test_package_urls_come_back_whole(name: str, version: str) -> None:
    found = PackageURL.from_string(purl("deb", "ubuntu", name, version, {"arch": "arm64", "distro": None}))
    assert (found.name, found.version, found.qualifiers) == (name, version, {"arch": "arm64"})


@pytest.fixture(scope="session")
def evil(founders: NodeStanding) -> NodeStanding:
    """A node that puts what is special to some format wherever it has a say."""
    smbios = {"sys_vendor": EVIL, "product_name": EVIL, "product_version": EVIL}
    identity = {"identifiers": {}, "platform": {"clues": {}}, "smbios": smbios, "hostname": EVIL, "serial": EVIL}
    known = with_facet(founders, "identity", {**identity, "serial_source": "dgx_release.serial", "macs": {EVIL: EVIL}})
    known = with_facet(known, "software", {"packages": {EVIL: EVIL}, "python_packages": {f"p/{EVIL}": EVIL}})
    return with_findings(known, finding("disk.space", "fail", summary=EVIL, action=EVIL, value=EVIL, unit=EVIL))


@pytest.mark.parametrize("form", FORMATS)
def test_a_hostile_node_breaks_no_record(form: str, evil: NodeStanding, founders: NodeStanding) -> None:
    calm = with_findings(founders, finding("disk.space", "fail"))
    text = exported(form, [evil])
    assert text.endswith("\n")
    if form not in ("netbox", "prometheus"):
        assert text.count("\n") == exported(form, [calm]).count("\n")
    if text.startswith("{"):
        assert all(isinstance(json.loads(line), dict) for line in text.splitlines())


@pytest.mark.slow
def test_promtool_reads_metrics_of_hostile_nodes(evil: NodeStanding, tmp_path: Path) -> None:
    promtool = which("promtool")
    if promtool is None:
        pytest.skip("no promtool here: install the package prometheus to read metrics with it")
    text = exported("prometheus", [evil])
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    stamped = "".join(
        line if line.startswith("#") else f"{line.rstrip()} 1795997848\n" for line in text.splitlines(keepends=True)
    )
    (tmp_path / "in.om").write_text(f"{stamped}# EOF\n", "utf-8")
    made = subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", tmp_path / "in.om", tmp_path / "db"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    (tmp_path / "db" / "wal").mkdir()  # the dump looks there too
    dumped = subprocess.run(
        [promtool, "tsdb", "dump", tmp_path / "db"], capture_output=True, text=True, check=True
    ).stdout
    info = next(line for line in dumped.splitlines() if '"sparkctl_node_info"' in line)
    assert json.dumps(EVIL) in info  # Go quotes this text as JSON does
