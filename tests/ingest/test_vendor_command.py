"""The command: whom a document is about, where it differs from our facts, and the exit codes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sparkctl.contract.outside import complaint_about
from tests.ingest.documents import SERIAL, fork, ingest, orchestrator, report, script, tool, write
from tests.support.command import environment, sparkctl
from tests.support.facts import facet, identity, remember

FLEET = f"nodes:\n  spark01: {{serial: '{SERIAL}'}}\n  spark02: {{ssh: {{host: ten.example}}}}\n  spark03:\n"
IDENTITY = tool("device_identity", report())


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.yaml"
    path.write_text(FLEET)
    return path


def about(folder: Path, document: Any, *options: str | Path, code: int = 0) -> tuple[Any, Any]:
    (record,) = ingest(folder, write(folder, "one.json", document), *options, code=code)
    assert complaint_about(json.dumps(record).encode()) is None
    return record["about"]["node_id"], record["about"]["by"]


def test_the_node_is_told_by_the_serial_or_the_host(tmp_path: Path, fleet: Path) -> None:
    assert about(tmp_path, IDENTITY) == ("spark01", "serial")
    assert about(tmp_path, orchestrator(host="spark02")) == ("spark02", "hostname")
    assert about(tmp_path, orchestrator(host="ten.example")) == ("spark02", "hostname")
    assert about(tmp_path, orchestrator(host=SERIAL)) == ("spark01", "serial")
    assert about(tmp_path, script(), code=3) == (None, None)
    assert about(tmp_path, script(), "--node", "spark03") == ("spark03", "option")


def test_evidence_outweighs_the_operators_word(tmp_path: Path, fleet: Path) -> None:
    (record,) = ingest(tmp_path, write(tmp_path, "a", IDENTITY), "--node", "spark02", code=3)
    assert record["about"]["why"] == f"not spark02 as --node says: its serial {SERIAL} is that of spark01"
    other = tool("device_identity", report(asset_id="1234", platform_dmi={}))
    (record,) = ingest(tmp_path, write(tmp_path, "b", other), "--node", "spark01", code=3)
    assert record["about"]["node_id"] is None
    assert about(tmp_path, fork(device_id={"serial": "another", "hostname": "spark01"}), code=3) == (None, None)


def test_without_an_inventory_only_the_operator_can_say(tmp_path: Path) -> None:
    assert about(tmp_path, IDENTITY, code=3) == (None, None)
    assert about(tmp_path, IDENTITY, "--node", "anything") == ("anything", "option")


@pytest.mark.parametrize("name", ["spark09", "a b"])
def test_a_node_that_is_none_is_a_mistake(tmp_path: Path, fleet: Path, name: str) -> None:
    ran = sparkctl("ingest", write(tmp_path, "a", IDENTITY), "--node", name, home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert name in ran.stderr


def test_a_refused_document_does_not_stop_the_others(tmp_path: Path) -> None:
    path = write(tmp_path, "many.jsonl", orchestrator(), {"schema": "NVAIA_ASSETMETA_V1"}, script())
    ran = sparkctl("ingest", path, tmp_path / "absent.json", tmp_path, path, "--node", "n", home=tmp_path)
    assert ran.returncode == 2
    records = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [complaint_about(json.dumps(record).encode()) for record in records] == [None] * 8
    causes = [record["refusal"] and record["refusal"]["cause"] for record in records]
    assert causes == [None, "no_shape", None, "unreadable", "unreadable", None, "no_shape", None]
    assert records[1]["line"] == 2
    assert f"{path}:2: the document has none of the shapes" in ran.stderr


@pytest.mark.parametrize(
    "document",
    [
        tool("hardware_config", None, ok=False, errors=["no"]),
        orchestrator(status="timeout"),
        orchestrator(rc=1),
        script(status="FAIL"),
        script(status="UNKNOWN"),
        fork(status="partial"),
    ],
)
def test_a_document_of_failure_is_not_settled(tmp_path: Path, document: Any) -> None:
    (record,) = ingest(tmp_path, write(tmp_path, "a", document), "--node", "n", code=3)
    assert record["said"]["failed"]


def test_standard_input_and_a_payload(tmp_path: Path) -> None:
    header = script(markers={"begin": "BEGIN_DGX_PAYLOAD"}, encoding="b64gz")
    text = json.dumps(header) + "\nBEGIN_DGX_PAYLOAD\nAAAA\nEND_DGX_PAYLOAD\n"
    ran = subprocess.run(
        [sys.executable, "-m", "sparkctl", "ingest", "-", "--node", "n"],
        input=text, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60,
        env={**environment(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    record = json.loads(ran.stdout)
    assert (ran.returncode, record["source"], record["said"]["payload_bytes"]) == (0, "standard input", 5)


def facts(**data: Any) -> dict[str, Any]:
    return {"identity": facet(identity(smbios={"sys_vendor": "Dell Inc.", "product_name": "Example"}, **data))}


SAME = {
    "serial": SERIAL,
    "serial_source": "smbios.product_serial",
    "identifiers": {
        "smbios.product_serial": {
            "value": SERIAL, "privilege": "root", "placeholder": False, "locator": "/sys/class/dmi/id/product_serial",
        }
    },
    "hostname": "spark01",
}  # fmt: skip


def compare(folder: Path, document: Any, code: int) -> dict[str, Any]:
    (record,) = ingest(folder, write(folder, "a", document), "--node", "spark01", "--compare", code=code)
    assert complaint_about(json.dumps(record).encode()) is None
    found: dict[str, Any] = record["comparison"]
    return found


def test_only_what_the_document_has_is_compared(tmp_path: Path) -> None:
    remember(tmp_path / "state", 1, {"spark01": facts(**SAME)})
    found = compare(tmp_path, IDENTITY, 0)
    assert (found["compared"], found["differences"], found["not_compared"]) == (5, [], [])
    assert found["collected_at"].startswith("2026-11-01")
    other = tool("device_identity", {**report(), "platform_dmi": {"product_name": "GX10", "board_name": "X"}})
    assert [
        (one["facet"], one["field"], one["kind"], one["collected"], one["document"])
        for one in compare(tmp_path, other, 1)["differences"]
    ] == [
        ("identity", "smbios.board_name", "appeared", None, "X"),
        ("identity", "smbios.product_name", "changed", "Example", "GX10"),
    ]


def test_what_we_could_not_read_or_never_collected_is_no_difference(tmp_path: Path) -> None:
    bare = identity(smbios={"sys_vendor": "Dell Inc.", "product_name": "Example"})
    gaps = {
        "serial": "not_permitted",
        "serial_source": "not_permitted",
        "identifiers[smbios.product_serial]": "timeout",
    }
    remember(tmp_path / "state", 1, {"spark01": {"identity": facet(bare, gaps)}})
    found = compare(tmp_path, tool("device_identity", {**report(), "os_machine_id": ""}), 3)
    assert found["differences"] == []
    assert {one["field"]: one["reason"] for one in found["not_compared"]} == {
        "serial": "not_permitted",
        "serial_source": "not_permitted",
        "identifiers[smbios.product_serial].value": "timeout",
    }
    found = compare(tmp_path, fork(device_id=None), 3)
    assert [(one["facet"], one["reason"]) for one in found["not_compared"]] == [("hardware", "it was never collected")]


def test_a_removed_package_that_dpkg_still_lists_is_no_difference(tmp_path: Path) -> None:
    software = {
        "packages": {"a": "1"},
        "packages_not_installed": {"old": {"state": "deinstall ok config-files", "version": "3"}},
    }
    remember(tmp_path / "state", 1, {"spark01": {"software": facet(software)}})
    new = tool("os_build_identity_reporter", {"baseline": {"packages": {"b": "1"}}})
    assert [one["field"] for one in compare(tmp_path, new, 1)["differences"]] == ["packages.b"]
    listed = tool("os_build_identity_reporter", {"baseline": {"packages": {"a": "1", "old": "3"}}})
    assert compare(tmp_path, listed, 0)["compared"] == 2
    newer = tool("os_build_identity_reporter", {"baseline": {"packages": {"a": "2", "old": "4"}}})
    assert [one["field"] for one in compare(tmp_path, newer, 1)["differences"]] == ["packages.a", "packages.old"]


def test_nothing_is_stored(tmp_path: Path) -> None:
    remember(tmp_path / "state", 1, {"spark01": facts(**SAME)})
    before = sparkctl("history", "spark01", "--facet", "identity", "--state", tmp_path / "state", home=tmp_path)
    compare(tmp_path, tool("device_identity", {**report(), "platform_dmi": {"product_name": "GX10"}}), 1)
    after = sparkctl("history", "spark01", "--facet", "identity", "--state", tmp_path / "state", home=tmp_path)
    assert (before.returncode, before.stdout) == (0, after.stdout)


def test_comparing_needs_facts(tmp_path: Path) -> None:
    ran = sparkctl(
        "ingest",
        write(tmp_path, "a", IDENTITY),
        "--node",
        "n",
        "--compare",
        "--state",
        tmp_path / "none",
        home=tmp_path,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "sparkctl: " in ran.stderr
    assert not (tmp_path / "none").exists()


def test_the_screen_names_what_was_not_taken(tmp_path: Path) -> None:
    path = write(tmp_path, "a", tool("hardware_config", report(newer=1)), {"x": 1})
    ran = sparkctl("ingest", path, "--format", "human", "-v", "--node", "n", home=tmp_path)
    assert ran.returncode == 2
    for words in ("data.newer", "identity.smbios.sys_vendor", "it lacks ok", "2 documents, 1 refused"):
        assert words in ran.stdout
