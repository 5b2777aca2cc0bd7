"""The worked example of docs/receiving.md, every line of it, on real SSH and simulated machines."""

import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from sparkctl.app.receiving_files import NOTICE_COLUMNS, ORDER_COLUMNS, SCAN_COLUMNS
from sparkctl.lifecycle.match_group import NO_PERSON
from sparkctl.model.receiving import MatchClass
from sparkctl.store.store import Store
from tests.support.command import json_lines, sparkctl

PAGE = (Path(__file__).parents[2] / "docs" / "receiving.md").read_text("utf-8").partition("## A worked example")[2]
COMMANDS = re.findall(r"^sparkctl (.*)$", PAGE, re.MULTILINE)


@pytest.mark.slow
def test_every_line_of_the_worked_example(tmp_path: Path) -> None:
    for name, text in re.findall(r"^`(\S+)`:\n\n```\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL):
        (tmp_path / name).write_text(text)
    said: dict[str, subprocess.CompletedProcess[str]] = {}
    try:
        for line in COMMANDS:
            if line.startswith("health"):
                time.sleep(1.1)  # the receipt counts in seconds
            said[line] = run(tmp_path, *shlex.split(line, comments=True))
            code = re.search(r"# exit (\d+)", line)
            assert said[line].returncode == int(code[1] if code else 0), (line, said[line].stderr)
    finally:
        run(tmp_path, "lab", "down", "--dir", "lab")
    papers, observed = (json_lines(ran)[0] for line, ran in said.items() if line.startswith("receive match"))
    assert counted(papers) == {"matched_partially": 6, "duplicate_scan": 1, "not_arrived": 1, "unreadable_scan": 1}
    shown = re.findall(r"^ +(\d+)  (\w+)", PAGE, re.MULTILINE)
    assert counted(observed) == {name: int(number) for number, name in shown}
    assert observed["simulated"] is True
    listed = next(ran for line, ran in said.items() if line.startswith("node list"))
    assert {line["node_id"]: line["state"] for line in json_lines(listed)} == {
        **{f"sim-0{number}": "received" for number in range(1, 5)}, "sim-05": "quarantined", "sim-06": "quarantined",
    }  # fmt: skip
    (life,) = json_lines(next(ran for line, ran in said.items() if line.startswith("node show")))
    assert (life["state"], life["observed"], life["simulated"]) == ("accepted", "SIM0000000001", True)
    assert [move["entered"] for move in life["moves"]] == ["expected", "received", "accepted"]
    with Store.open(tmp_path / "state") as store:
        entries = list(store.ledger.entries("sim-05"))
    moved = next(entry for entry in entries if entry.kind == "lifecycle.moved")
    assert str(moved.facts["reason"]).startswith("mac_mismatch: the label says 0251000099FF")
    assert all(entry.simulated for entry in entries)


def test_the_page_names_every_class_and_column() -> None:
    whole = (Path(__file__).parents[2] / "docs" / "receiving.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .* \| (yes )?\|$", whole, re.MULTILINE)
    assert [name for name, _ in rows] == [each.value for each in MatchClass]
    assert {name for name, person in rows if not person} == {each.value for each in NO_PERSON}
    for columns in (ORDER_COLUMNS, NOTICE_COLUMNS, SCAN_COLUMNS):
        for name, aliases in columns.items():
            assert any(f"`{word}`" in whole for word in (name, *aliases)), name


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return sparkctl(*words, home=folder, SPARKCTL_FLEET="lab/fleet.yaml", SPARKCTL_STATE=str(folder / "state"))


def counted(report: dict[str, dict[str, int]]) -> dict[str, int]:
    return {name: number for name, number in report["classes"].items() if number}
