"""From the story of a simulated node to the files and recordings in which it can be read."""

import datetime as dt
import struct
from collections.abc import Iterator
from itertools import pairwise

from sparkctl.lab.artefacts_logs import add_journal_recordings, add_sign_ins, add_text_logs
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.reset_crash import ARCHIVE, LIVE, parts
from sparkctl.lab.reset_journal import Lived, exported, listed, live
from sparkctl.lab.reset_story import Boot, Past
from sparkctl.lab.tree import Tree

UTMP = struct.Struct("<hxxi32s4s32s256shhqqq16s20s4x")
"""A record of glibc's utmp on arm64, 400 bytes: type, process, line, id, user, host, exit, session, time, address."""
BOOT_TIME, RUN_LEVEL, GRAPHICAL = 2, 1, ord("5")
USER_SPACE, UTMP_WRITTEN, RUNS, PUT_ASIDE, SAVED, CHECKED = 4.7, 8.9, 19.0, 6.9, 8.4, 3.1
"""When user space began, when wtmp said so, when the system ran, when an open journal and a crash record were put
aside, and when the root file system was checked: in seconds since the kernel started."""
NOT_PERMITTED = "No journal files were opened due to insufficient permissions.\n"
READ_RECORDS = ("/usr/bin/grep", "-r", "-a", "-H", ".", LIVE, ARCHIVE)
MICROSECONDS = 1_000_000
EMPTY_JOURNAL = struct.pack("<8s3I4x64x2Q", b"LPKSHHRH", 0, 0, 0, 256, 0).ljust(256, b"\0")
"""A journal file without entries, closed: signature, flags, state, ids, size of the header and of what follows it."""
ROOT = "/dev/nvme0n1p2"


def add_past(tree: Tree, node: NodeModel, past: Past, now: float) -> list[str]:
    """Journal, wtmp, crash records and the log of the file system check; `now` is what the node's clock shows.

    Returns the paths that only root of the node may read.
    """
    boots = list(_lived(node, past, now))
    denied = _journal(tree, node, past, boots)
    tree.files["/var/log/wtmp"] = b"".join(record for lived in boots for record in _records(lived))
    denied += _crash_records(tree, boots, now)
    add_sign_ins(tree, boots)
    tree.files["/run/initramfs/fsck.log"] = _check(boots)
    _notes(tree, past, boots)
    tree.files.update(past.files)
    for path, before, after in past.edits:
        tree.files[path] = str(tree.files[path]).replace(before, after)
    return denied


def _lived(node: NodeModel, past: Past, now: float) -> Iterator[Lived]:
    began = now - sum(boot.lasted + boot.off for boot in past.boots[:-1]) - node.uptime
    before: Boot | None = None
    moved: list[str] = []
    for boot in past.boots:
        lived = live(node, boot, before, began, runs=boot is past.boots[-1], moved=moved)
        yield lived
        moved = sorted((path for path, _ in parts(lived)), reverse=True)
        before, began = boot, began + boot.lasted + boot.off


def _journal(tree: Tree, node: NodeModel, past: Past, boots: list[Lived]) -> list[str]:
    on_disk = f"/var/log/journal/{node.machine_id}"
    kept = exported(node, boots)
    files = [path for path in tree.files if path.startswith(f"{on_disk}/")]
    if past.storage == "volatile":
        for path in files:
            del tree.files[path]
        tree.folders.remove("/var/log/journal")
        files = [f"/run/log/journal/{node.machine_id}/system.journal"]
        tree.files["/etc/systemd/journald.conf"] = "# simulated\n[Journal]\nStorage=volatile\n"
        kept = kept[-1:]
    else:
        files += [f"{on_disk}/{name}" for name in _put_aside(node, boots)]
    tree.files.update(dict.fromkeys(files, EMPTY_JOURNAL))
    texts = {f"/cmd/journal{place + 1 - len(kept)}.json": text for place, (_, text) in enumerate(kept)}
    tree.files.update(texts)
    tree.files["/cmd/list-boots.json"] = listed([lived for lived, _ in kept])
    add_journal_recordings(tree, kept)
    logs = add_text_logs(tree, node, kept[-1][0])
    if past.readable:
        return logs
    for entry in tree.commands:
        if entry["argv"][0].endswith("journalctl"):
            entry.pop("stdout_file", None)
            entry |= {"stdout": "", "stderr": NOT_PERMITTED, "rc": 1}
    return [*logs, *texts]


def _put_aside(node: NodeModel, boots: list[Lived]) -> Iterator[str]:
    """Files that journald found open: after a boot that was cut off, or when user space started again."""
    for before, lived in zip([None, *boots], boots, strict=False):
        left_open = before is not None and before.boot.in_journal and not before.boot.closed
        found = [PUT_ASIDE] if left_open else []
        for at in (*found, *lived.boot.restarts):
            moment = round(lived.clock(at) * MICROSECONDS)
            yield f"system@{moment:016x}-{node.material(f'aside {moment}', 8).hex()}.journal~"


def _records(lived: Lived) -> Iterator[bytes]:
    """What wtmp says of one boot: begun, at its run level, shut down; begun again with each restart of user space."""
    boot, shift = lived.boot, UTMP_WRITTEN - USER_SPACE
    if not boot.in_wtmp:
        return
    began = lived.clock(UTMP_WRITTEN) - shift
    yield _record(BOOT_TIME, 0, "reboot", began, lived.release)
    yield _record(RUN_LEVEL, GRAPHICAL, "runlevel", lived.clock(RUNS), lived.release)
    for restart in boot.restarts:
        yield _record(RUN_LEVEL, 0, "shutdown", lived.clock(restart) - shift, lived.release)
        yield _record(BOOT_TIME, 0, "reboot", began, lived.release)
        yield _record(RUN_LEVEL, GRAPHICAL, "runlevel", lived.clock(restart) + RUNS - UTMP_WRITTEN, lived.release)
    if boot.shutdown is not None:
        yield _record(RUN_LEVEL, 0, "shutdown", lived.clock(boot.shutdown), lived.release)


def _record(kind: int, process: int, user: str, when: float, kernel: str) -> bytes:
    seconds, microseconds = divmod(round(when * MICROSECONDS), MICROSECONDS)
    words = (b"~", b"~~", user.encode(), kernel.encode())
    return UTMP.pack(kind, process, *words, 0, 0, 0, seconds, microseconds, b"", b"")


def _crash_records(tree: Tree, boots: list[Lived], now: float) -> list[str]:
    """What systemd-pstore took out of the firmware at the start of the boot after."""
    printed, records = [], []
    for lived, after in pairwise(boots):
        for path, text in parts(lived):
            tree.files[path] = text
            folder = path.removeprefix(f"{ARCHIVE}/").partition("/")[0]
            tree.ages[f"{ARCHIVE}/{folder}"] = now - after.began - SAVED
            whole = f"{path.rpartition('/')[0]}/dmesg.txt"
            tree.files[whole] = text + str(tree.files.get(whole, ""))
            records += [path, whole]
            printed += [f"{path}:{line}\n" for line in text.splitlines() if line]
    tree.record_for_root(READ_RECORDS, "".join(printed), rc=0 if printed else 1)
    return list(dict.fromkeys(records))


def _notes(tree: Tree, past: Past, boots: list[Lived]) -> None:
    """Logs that programs keep for themselves, dated by the clock that the node had then."""
    by_name = {lived.boot.name: lived for lived in boots}
    for note in past.notes:
        moment = dt.datetime.fromtimestamp(by_name[note.boot].clock(note.at), dt.UTC)
        tree.files[note.path] = str(tree.files.get(note.path, "")) + moment.strftime(note.text)


def _check(boots: list[Lived]) -> str:
    """What initramfs-tools keeps of the check of the root file system before it was mounted."""
    clean = len(boots) < 2 or boots[-2].boot.clean
    when = dt.datetime.fromtimestamp(boots[-1].clock(CHECKED), dt.UTC).ctime()
    found = "" if clean else f"{ROOT}: recovering journal\n"
    found += f"{ROOT}: clean, 512344/244195328 files, 61203344/976754176 blocks"
    return f"Log of fsck -C -a -T -t ext4 {ROOT} \n{when}\n\n{found}\n\n{when}\n----------------\n"
