"""Small pieces of evidence for tests of the pure layers."""

import json
from collections.abc import Mapping
from itertools import count

from diag.reset.entries import Entry, parse_entries
from diag.reset.evidence import Boot, Seen
from diag.reset.rules import PLACES
from diag.reset.window import Window

BEFORE, AFTER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
EVERYWHERE = frozenset(PLACES)
_numbers = count(1)


def thing(
    kind: str, boot_id: str | None = BEFORE, *, source: str = "journal", at_s: float = 90.0, **more: object
) -> Seen:
    return Seen(source, kind, "a place", f"the words of {kind}", boot_id=boot_id, at_s=at_s, **more)  # type: ignore[arg-type]


def window(*tokens: str, covered: frozenset[str] = EVERYWHERE, sources: Mapping[str, str] | None = None) -> Window:
    """A window in which these tokens were seen."""
    seen = {}
    for token in tokens:
        side, _, kind = token.partition(":")
        boot_id = BEFORE if side == "from" else AFTER
        seen[token] = thing(kind, boot_id, source=(sources or {}).get(token, "journal"))
    return Window(0, Boot(BEFORE, last_s=100.0), AFTER, seen, covered=covered)


def entry(message: str, at_s: float = 1.0, *, boot_id: str = BEFORE, **fields: str) -> Entry:
    """An entry as journalctl would print it; fields beyond the defaults in their journal names."""
    row = {
        "MESSAGE": message,
        "_BOOT_ID": boot_id.replace("-", ""),
        "__MONOTONIC_TIMESTAMP": str(int(at_s * 1e6)),
        "__REALTIME_TIMESTAMP": str(int((1_795_000_000 + at_s) * 1e6)),
        "__CURSOR": f"s=ab;i={next(_numbers):x}",
        "_TRANSPORT": "journal",
        **fields,
    }
    return parse_entries(json.dumps(row))[0]


def of_init(message: str, at_s: float = 1.0, *, boot_id: str = BEFORE) -> Entry:
    return entry(message, at_s, boot_id=boot_id, _PID="1", _UID="0", SYSLOG_IDENTIFIER="systemd")


def of_kernel(message: str, at_s: float = 1.0, *, boot_id: str = BEFORE) -> Entry:
    stamp = str(int(at_s * 1e6))
    return entry(
        message,
        at_s,
        boot_id=boot_id,
        _TRANSPORT="kernel",
        SYSLOG_IDENTIFIER="kernel",
        _SOURCE_MONOTONIC_TIMESTAMP=stamp,
    )


def of_journald(message: str, at_s: float = 1.0, *, pid: str = "200", boot_id: str = BEFORE) -> Entry:
    return entry(message, at_s, boot_id=boot_id, _PID=pid, _UID="0", SYSLOG_IDENTIFIER="systemd-journald")
