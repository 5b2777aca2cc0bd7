"""Our own marks: what a controller of ours writes to the journal of a node before it reboots it, and what that means.

Format, one entry of the journal, written by root with the native protocol (`logger --journald`, which takes the fields
on standard input, one on a line):

    MESSAGE_ID=8f0a4bd1b1c14a0c9a3b5c1f6f0c7f5e
    SYSLOG_IDENTIFIER=sparkctl
    MESSAGE=sparkctl: change RUN reboots this node: WHY

RUN is the id of the run, 1 to 100 of A-Z a-z 0-9 . _ -; WHY is one line for people. A mark says what was about to be
done, not that it was done. Any user can write these words and this id, and only journald knows who did, so a mark
counts only where journald says that it was root.
"""

from __future__ import annotations

import re

from diag.reset.entries import Entry
from diag.reset.messages import Meaning
from diag.reset.words import Antecedent

MESSAGE_ID = "8f0a4bd1b1c14a0c9a3b5c1f6f0c7f5e"
ROOT_UID = "0"


def controller(entry: Entry) -> bool:
    """A controller of ours: root, through journald's own protocol, with our message id."""
    return entry.message_id == MESSAGE_ID and entry.uid == ROOT_UID and entry.transport == "journal"


ENDING: tuple[Meaning, ...] = (
    Meaning(
        Antecedent.CHANGE_RECORD,
        controller,
        re.compile(r"^sparkctl: change (?P<value>[A-Za-z0-9._-]{1,100}) reboots this node: "),
        MESSAGE_ID,
    ),
)
"""What the end of a boot can hold of ours; the value is the id of the run."""
