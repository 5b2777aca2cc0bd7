"""Our own marks count where journald says that root wrote them, and nowhere else."""

import json
from typing import Any

import pytest

from diag.reset import marks
from diag.reset.entries import parse_entries
from diag.reset.messages import seen_in
from tests.reset.source_tree import BOOT_ID

MARK = {
    "MESSAGE": "sparkctl: change 20261123T065200Z-a1b2c3 reboots this node: kernel update, window 12",
    "MESSAGE_ID": marks.MESSAGE_ID,
    "SYSLOG_IDENTIFIER": "sparkctl",
    "_UID": "0",
    "_TRANSPORT": "journal",
    "_BOOT_ID": BOOT_ID.replace("-", ""),
    "__MONOTONIC_TIMESTAMP": "92000001",
    "__REALTIME_TIMESTAMP": "1795414616000001",
}


def values(**changed: Any) -> list[str | None]:
    entries = parse_entries(json.dumps({**MARK, **changed}))
    assert len(entries) == 1
    return [one.value for one in seen_in(entries, marks.ENDING, "journalctl")]


def test_a_mark_tells_the_run() -> None:
    (seen,) = seen_in(parse_entries(json.dumps(MARK)), marks.ENDING, "journalctl")
    assert (seen.kind, seen.value, seen.boot_id) == ("change_record", "20261123T065200Z-a1b2c3", BOOT_ID)


@pytest.mark.parametrize(
    "changed",
    [
        {"_UID": "1000"},
        {"_UID": None},
        {"MESSAGE_ID": None},
        {"MESSAGE_ID": "98268866d1d54a499c4e98921d93bc40"},
        {"_TRANSPORT": "syslog"},
        {"_TRANSPORT": "kernel"},
        {"MESSAGE": "sparkctl: change  reboots this node: why"},
        {"MESSAGE": "sparkctl: change a b reboots this node: why"},
        {"MESSAGE": f"sparkctl: change {'a' * 101} reboots this node: why"},
        {"MESSAGE": "he said sparkctl: change r1 reboots this node: why"},
    ],
)
def test_what_anybody_can_write_is_no_mark(changed: dict[str, Any]) -> None:
    assert values(**changed) == []
    assert values() != []
