"""Journals as they are collected: files and exports side by side, and exports in whatever order they were printed."""

import shutil
from pathlib import Path

import pytest

from diag.nodekit.machine import Machine
from diag.reset.journal import Both, open_journal
from tests.reset.answers import answer, excess
from tests.reset.trees import MACHINE_ID, build_machine, write

JOURNAL_FILE = f"var/log/journal/{MACHINE_ID}/system.journal"
SPOILT = "/cmd/journal-1.json has lines that are no entries of a journal"


@pytest.mark.skipif(shutil.which("journalctl") is None, reason="no journalctl here: journal files are not read")
def test_what_is_wrong_with_an_export_is_told_beside_journal_files(tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", "reboot"])
    whole = answer(root)
    write(root / JOURNAL_FILE, "")
    export = root / "cmd/journal-1.json"
    write(export, export.read_text()[:-40])
    journal = open_journal(Machine(str(root)))
    assert isinstance(journal, Both)
    assert SPOILT in journal.complaints
    made = answer(root)
    told = {one["source"]: (one["state"], one["detail"]) for one in made["sources"]}
    assert told["journal"][0] == "partial"
    assert excess(made, whole) == []
