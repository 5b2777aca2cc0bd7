"""`sparkctl export` over a store: what is told of nodes, what of the export, and what becomes of a file."""

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest

from sparkctl.app.export import MODE, Export
from sparkctl.app.places import Places
from sparkctl.cli.export import _NAMES
from sparkctl.errors import ExitCode, SparkctlError, UsageError
from sparkctl.export.catalogue import FORMATS
from sparkctl.export.format import Format
from tests.support.command import sparkctl
from tests.support.facts import facet, identity, remember

KNOWN = {"identity": facet(identity(serial="S1", serial_source="dgx_release.serial"))}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A fleet of three of which one was collected, one did not report, and one was never visited."""
    (tmp_path / "fleet.yaml").write_text("nodes: ['spark[01-03]']\n")
    remember(tmp_path / "state", 1, {"spark01": KNOWN, "spark02": None})
    return Places(tmp_path / "fleet.yaml", tmp_path / "state", {})


def rows(places: Places) -> dict[str, dict[str, str]]:
    text = "".join(Export(places, "all", "csv").pieces())
    return {row["node"]: row for row in csv.DictReader(text.splitlines())}


def test_the_help_knows_the_formats() -> None:
    assert tuple(FORMATS) == _NAMES


def test_every_node_is_told_of_and_what_is_not_known_is_unjudged(places: Places) -> None:
    found = rows(places)
    assert list(found) == ["spark01", "spark02", "spark03"]
    assert (found["spark01"]["key"], found["spark01"]["key_source"]) == ("S1", "dgx_release.serial")
    assert [found[name]["reported"] for name in found] == ["true", "false", ""]
    export = Export(places, "all", "orchestrator")
    records = [json.loads(line) for line in "".join(export.pieces()).splitlines()]
    assert [(one["status"], one["rc"]) for one in records] == [("ok", 0), ("connect.timeout", 255)]
    report = export.report(None)
    assert (report.unknown, report.left_out) == (["spark02", "spark03"], ["spark03"])
    assert report.exit_code == ExitCode.UNJUDGED


def test_all_known_is_ok(places: Places) -> None:
    export = Export(places, "spark01", "csv")
    assert "".join(export.pieces()).count("\n") == 2
    assert (export.report(None).exit_code, export.report(None).unknown) == (ExitCode.OK, [])


def test_a_serial_that_two_nodes_show_is_neithers(places: Places) -> None:
    remember(places.state, 2, {"spark02": KNOWN})
    found = rows(places)
    assert {found[name]["key_source"] for name in found} == {"inventory.name"}
    assert found["spark01"]["serial"] == "S1"  # it is told, and nobody is recognised by it


def test_old_facts_are_left_out(places: Places) -> None:
    export = Export(places, "spark01", "ecs", timedelta(hours=1))
    (document,) = map(json.loads, "".join(export.pieces()).splitlines())
    assert document["sparkctl"]["known"]["stale"] == ["identity"]
    assert document["sparkctl"]["key"] == "S1"  # who a node is does not age
    report = export.report(None)
    assert (report.stale, report.unknown, report.exit_code) == (["spark01"], ["spark01"], ExitCode.UNJUDGED)


def test_a_file_is_whole_or_as_it_was(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    Export(places, "all", "csv").write_to(out)
    before = out.read_bytes()
    assert out.stat().st_mode & 0o777 == MODE

    def breaks(*_: object) -> object:
        yield "half of it"
        raise KeyboardInterrupt

    monkeypatch.setitem(FORMATS, "csv", Format("csv", "", "", (), breaks))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        Export(places, "all", "csv").write_to(out)
    assert out.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"fleet.yaml", "state", "out"}
    with pytest.raises(UsageError, match="/nowhere/out"):
        Export(places, "all", "cef").write_to(Path("/nowhere/out"))


def test_a_file_of_any_name_is_told_of(places: Places, tmp_path: Path) -> None:
    made = Export(places, "all", "csv")
    odd = tmp_path / "two\nlines\udcff"
    made.write_to(odd)
    assert odd.exists()
    assert made.report(odd).file == f"{tmp_path}/two\\u000alines\\udcff"


def test_a_store_that_is_not_there_is_said_to_be(places: Places, tmp_path: Path) -> None:
    absent = Places(places.fleet_option, tmp_path / "nowhere", {})
    with pytest.raises(SparkctlError, match="there is no store"):
        list(Export(absent, "all", "csv").pieces())


def test_the_command_prints_the_export_and_says_what_is_missing(places: Places, tmp_path: Path) -> None:
    where = ("--fleet", tmp_path / "fleet.yaml", "--state", tmp_path / "state")
    ran = sparkctl("export", "--as", "snipeit", *where, home=tmp_path)
    assert (ran.returncode, ran.stdout.count("\n")) == (3, 3)
    assert "nothing is known of spark[02-03]" in ran.stderr
    wrong = sparkctl("export", "--as", "xml", *where, home=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "xml" in wrong.stderr


@pytest.mark.slow
def test_the_command_tells_of_a_file(places: Places, tmp_path: Path) -> None:
    where = ("--fleet", tmp_path / "fleet.yaml", "--state", tmp_path / "state", "--output", tmp_path / "x.prom")
    ran = sparkctl("export", "--as", "prometheus", *where, home=tmp_path)
    report = json.loads(ran.stdout)
    assert (report["schema"], report["file"]) == ("sparkctl.export-report/1", str(tmp_path / "x.prom"))
    assert 'sparkctl_node_reported{node="spark02"} 0\n' in (tmp_path / "x.prom").read_text()
    human = sparkctl("export", "--as", "prometheus", *where, "--format", "human", home=tmp_path)
    assert "3 nodes as prometheus" in human.stdout
