"""Journals as they are collected: files and exports side by side, and exports in whatever order they were printed."""

import shutil
from pathlib import Path

import pytest

from diag.nodekit.machine import Machine
from diag.reset.journal import Both, open_journal
from tests.reset.answers import answer, claims, excess
from tests.reset.trees import MACHINE_ID, boot_ids, build_machine, write

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


@pytest.mark.parametrize("turned", [False, True])
def test_an_export_is_read_by_its_numbers_whichever_way_it_was_printed(turned: bool, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["silent", "panic", "reboot"])
    (root / "cmd/list-boots.json").unlink()
    for export in (root / "cmd").glob("journal*.json"):
        lines = export.read_text().splitlines()
        write(export, "".join(f"{line}\n" for line in (reversed(lines) if turned else lines)))
    # All in one file, so that the order of the files cannot tell the order of the boots.
    exports = sorted((root / "cmd").glob("journal*.json"))
    text = "".join(export.read_text() for export in exports)
    for export in exports:
        export.unlink()
    write(root / "cmd/journal0.json", text)
    journal = open_journal(Machine(str(root)))
    oldest, *later = boot_ids(4)
    assert [journal.before(boot) for boot in later] == [oldest, *later[:-1]]
    assert [termination for termination, _, _ in claims(answer(root))] == [
        "orderly.reboot",
        "disorderly.panic",
        "disorderly",
    ]
