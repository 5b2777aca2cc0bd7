"""What becomes of one entry: whole lines, the end that is kept, and an honest word for what is not there."""

import io
import json
import os
import subprocess
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.collector import Collector, Command, File, Keep, Kind, LoadedCollector, Take, Values, Volatility
from diag.nodekit.jobs import FRAME, Carrier, Job
from diag.nodekit.machine import Machine
from diag.nodekit.taking import ListJob, RecordJob, TakeJob, load_collectors, take_of
from sparkctl.model.recording import NOTE, LookNote, ReadNote

LINES = b"".join(b"line %05d\n" % number for number in range(2000))


def brought(take: Take, machine: Machine | None = None) -> tuple[dict[str, Any], bytes]:
    """What is said of one entry, and its content."""
    return carried(TakeJob(LoadedCollector("it.is", Collector("It", Volatility.MOMENT, (take,))), take), machine)


def carried(job: Job, machine: Machine | None = None) -> tuple[dict[str, Any], bytes]:
    """What is said of what a job brought, and its content."""
    out = io.BytesIO()
    carrier = Carrier(machine or Machine(), out, deadline=time.monotonic() + 30, budget=10**9)
    (facts,) = carrier.carry([job])
    carrier.close()
    stream, position, content = out.getvalue(), 0, b""
    while position < len(stream):
        _, _, packed, _ = FRAME.unpack_from(stream, position)
        position += FRAME.size + packed
        content += zlib.decompress(stream[position - packed : position])
    assert facts["bytes"] == len(content)
    return facts, content


def tree(folder: Path, commands: list[dict[str, Any]], **facts: Any) -> Machine:
    (folder / "cmd").mkdir(exist_ok=True)
    (folder / "cmd/commands.json").write_text(json.dumps(commands))
    (folder / ".tree.json").write_text(json.dumps({"euid": 1000, **facts}))
    elevated = frozenset({("/usr/bin/tool",), ("/usr/bin/cat", "/log"), ("/usr/bin/tail", "-c", "51", "/log")})
    return Machine(str(folder), "commands", elevated)


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "log"
    path.write_bytes(LINES)
    return str(path)


def test_the_oldest_lines_are_kept_and_none_in_part(log: str) -> None:
    facts, content = brought(File("log", log, limit=1005))
    assert (facts["status"], facts["reason"]) == ("partial", "precondition")
    assert content == LINES[:1001]
    assert "after" in facts["words"]


def test_the_newest_lines_are_kept_and_none_in_part(log: str) -> None:
    facts, content = brought(File("log", log, limit=1005, keep=Keep.NEWEST))
    assert facts["status"] == "partial"
    assert content == LINES[-1001:]
    assert "before" in facts["words"]


@pytest.mark.parametrize(("keep", "kept"), [(Keep.OLDEST, LINES[:1001]), (Keep.NEWEST, LINES[-1001:])])
def test_a_command_that_prints_too_much_is_cut_at_a_line(log: str, keep: str, kept: bytes) -> None:
    facts, content = brought(Command("log", ("cat", log), limit=1005, keep=keep))
    assert (facts["status"], content) == ("partial", kept)


@pytest.mark.parametrize("keep", [Keep.OLDEST, Keep.NEWEST])
def test_what_fits_is_whole(log: str, keep: str) -> None:
    for take in (
        File("log", log, limit=len(LINES), keep=keep),
        Command("log", ("cat", log), limit=len(LINES), keep=keep),
    ):
        facts, content = brought(take)
        assert (facts["status"], content) == ("collected", LINES)


def test_a_line_without_an_end_leaves_nothing_to_show(tmp_path: Path) -> None:
    (tmp_path / "line").write_bytes(b"secret" * 1000)
    for keep in (Keep.OLDEST, Keep.NEWEST):
        facts, content = brought(File("line", str(tmp_path / "line"), limit=1000, keep=keep))
        assert (facts["status"], content) == ("missing", b"")


@pytest.mark.parametrize(("kind", "kept"), [(Kind.BINARY, b"a\nb\0c"), (Kind.NUL, b"a\nb"), (Kind.TEXT, b"a")])
def test_where_a_line_ends_depends_on_the_kind(tmp_path: Path, kind: str, kept: bytes) -> None:
    (tmp_path / "file").write_bytes(b"a\nb\0c\nd")
    _, content = brought(File("file", str(tmp_path / "file"), limit=5, kind=kind))
    assert content.rstrip(b"\0\n") == kept


def test_a_huge_file_costs_its_limit_only(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 40)
        file.seek((1 << 40) - 12)
        file.write(b"\nnewest line")
    facts, content = brought(File("sparse", str(path), limit=4096, keep=Keep.NEWEST))
    assert (facts["status"], content) == ("partial", b"newest line")
    assert facts["read_bytes"] <= 4096


def test_a_fifo_that_nobody_writes_to_costs_its_own_time(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    facts, content = brought(File("pipe", str(tmp_path / "pipe"), seconds=0.3))
    assert (facts["reason"], content) == ("timeout", b"")


def test_a_command_that_hangs_leaves_its_whole_lines() -> None:
    facts, content = brought(Command("hangs", ("sh", "-c", "echo whole; printf half; sleep 60"), seconds=0.7))
    assert (facts["status"], facts["reason"], content) == ("partial", "timeout", b"whole\n")


def test_a_command_that_fails_is_told_in_its_own_words() -> None:
    facts, content = brought(Command("fails", ("sh", "-c", "echo some; echo why >&2; exit 3")))
    assert (facts["status"], facts["exit_status"], facts["words"]) == ("collected", 3, "why")
    assert content == b"some\n"
    facts, _ = brought(Command("fails", ("sh", "-c", "echo why >&2; exit 3")))
    assert (facts["status"], facts["reason"]) == ("missing", "io_error")


@pytest.mark.parametrize(
    "take",
    [
        File("it", "/nowhere/file"),
        Command("it", ("no-such-tool",)),
        Command("it", ("find", "/nowhere", "-type", "f")),
        Command("it", ("sh", "-c", "echo No dumps found >&2; exit 1"), nothing=(1,)),
        Values("it", "/nowhere", ("*/value",)),
    ],
    ids=["file", "tool", "folder", "its own word", "values"],
)
def test_what_is_proven_not_to_be_there_is_absent(take: Take) -> None:
    facts, content = brought(take)
    assert (facts["status"], content) == ("absent", b"")
    assert facts["words"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    facts, _ = brought(File("folder", str(tmp_path)))
    assert (facts["status"], facts["reason"]) == ("missing", "io_error")


def test_values_stand_under_their_paths(tmp_path: Path) -> None:
    for zone, value in (("zone0", "41800"), ("zone1", "40300")):
        (tmp_path / zone).mkdir()
        (tmp_path / zone / "temp").write_text(f"{value}\n")
    (tmp_path / "zone1/limits").write_text("one\ntwo\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/temp").write_text("1\n")
    facts, content = brought(Values("zones", str(tmp_path), ("zone*/temp", "*/limits", "*/nothing")))
    assert facts["status"] == "collected"
    assert content.decode() == (
        f"{tmp_path}/zone0/temp: 41800\n{tmp_path}/zone1/temp: 40300\n{tmp_path}/zone1/limits:\none\ntwo\n\n"
    )


def test_values_before_one_that_hangs_are_brought(tmp_path: Path) -> None:
    for name in ("a", "c"):
        (tmp_path / name).write_text("1\n")
    os.mkfifo(tmp_path / "b")
    facts, content = brought(Values("values", str(tmp_path), ("*",), seconds=0.3))
    assert facts["reason"] == "timeout"
    assert content == f"{tmp_path}/a: 1\n".encode()


def test_values_over_their_limit_end_with_a_whole_file(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}").write_text("x" * 100)
    facts, content = brought(Values("values", str(tmp_path), ("*",), limit=500))
    assert facts["status"] == "partial"
    assert content.endswith(b"x\n")
    assert 100 < len(content) <= 500


def test_a_value_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "sys").mkdir()
    for name in ("open", "closed"):
        (tmp_path / "sys" / name).write_text("1\n")
    machine = tree(tmp_path, [], denied=["/sys/closed"])
    facts, content = brought(Values("values", "/sys", ("*",)), machine)
    assert (facts["status"], facts["reason"]) == ("partial", "not_permitted")
    assert facts["words"] == "1 could not be read, the first: Permission denied: /sys/closed"
    assert content == b"/sys/closed: (Permission denied)\n/sys/open: 1\n"


TOOL = {"argv": ["/usr/bin/tool"], "stdout": "less\n", "rc": 0}
AS_ROOT = {"argv": ["sudo", "-n", "/usr/bin/tool"], "stdout": "more\n", "rc": 0}
REFUSED = {"argv": ["sudo", "-n", "/usr/bin/tool"], "stderr": "sudo: a password is required\n", "rc": 1}


@pytest.mark.parametrize(
    ("commands", "plain", "status", "reason", "content"),
    [
        ([TOOL, AS_ROOT], True, "collected", None, b"more\n"),
        ([TOOL, REFUSED], True, "partial", "not_permitted", b"less\n"),
        ([TOOL, REFUSED], False, "missing", "not_permitted", b""),
        ([TOOL | {"stdout": "", "rc": 1}, REFUSED], True, "missing", "not_permitted", b""),
        ([], True, "absent", None, b""),
    ],
    ids=["granted", "refused", "refused, no use without", "refused, nothing without", "no tool"],
)
def test_without_rights_a_command_tells_less_or_nothing(
    tmp_path: Path, commands: list[dict[str, Any]], plain: bool, status: str, reason: str | None, content: bytes
) -> None:
    take = Command("tool", ("/usr/bin/tool",), elevate=True, plain=plain)
    facts, seen = brought(take, tree(tmp_path, commands))
    assert (facts["status"], facts.get("reason"), seen) == (status, reason, content)


def test_a_file_that_only_root_may_read_is_read_as_root(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("hidden")
    whole = [{"argv": ["sudo", "-n", "/usr/bin/cat", "/log"], "stdout": "all\n", "rc": 0}]
    facts, content = brought(File("log", "/log", elevate=True), tree(tmp_path, whole, denied=["/log"]))
    assert (facts["status"], content) == ("collected", b"all\n")
    end = [{"argv": ["sudo", "-n", "/usr/bin/tail", "-c", "51", "/log"], "stdout": "f\n" + "1234\n" * 10, "rc": 0}]
    take = File("log", "/log", limit=50, keep=Keep.NEWEST, elevate=True)
    facts, content = brought(take, tree(tmp_path, end, denied=["/log"]))
    assert (facts["status"], content) == ("partial", b"1234\n" * 9)


def test_five_hundred_crash_records_leave_the_newest_hundred(tmp_path: Path) -> None:
    for number in range(500):
        folder = tmp_path / f"var/lib/systemd/pstore/{1_770_000_000 + number}/001"
        folder.mkdir(parents=True)
        (folder / f"dmesg-efi_pstore-{1_770_000_000 + number}01001").write_text("Panic#1 Part1\n")
    (loaded,) = (one for one in load_collectors() if one.collector_id == "pstore.records")
    out = io.BytesIO()
    carrier = Carrier(tree(tmp_path, []), out, deadline=time.monotonic() + 30, budget=10**9)
    (facts,) = carrier.carry([ListJob(loaded)])
    carrier.close()
    takes = [take_of(take) for take in facts["takes"]]
    assert (len(takes), facts["left_out"]) == (100, 400)
    assert "1770000499" in takes[0].name
    assert "1770000400" in takes[-1].name


def test_a_name_that_is_no_text_is_shown_escaped(tmp_path: Path) -> None:
    folder = tmp_path / "var/lib/systemd/pstore"
    folder.mkdir(parents=True)
    (folder / "dmesg-\udcff\n").write_text("Panic#1 Part1\n")
    (loaded,) = (one for one in load_collectors() if one.collector_id == "pstore.records")
    machine = tree(tmp_path, [])
    assert callable(loaded.collector.takes)
    (take,) = loaded.collector.takes(machine)
    described = TakeJob(loaded, take).described()
    assert described["name"] == "pstore/archive/dmesg-\\udcff\\u000a"
    assert json.dumps(described, ensure_ascii=False).encode()
    facts, content = brought(take, machine)
    assert (facts["status"], content) == ("collected", b"Panic#1 Part1\n")


def test_a_command_that_is_not_ours_to_kill_keeps_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """sudo runs as root: it may not be killed, and ends when its command writes into the closed pipe."""

    def refuse(_: subprocess.Popen[bytes]) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(subprocess.Popen, "kill", refuse)
    facts, content = brought(Command("yes", ("yes",), limit=1000))
    assert (facts["status"], facts["reason"], content) == ("partial", "precondition", b"y\n" * 500)


class _Looks:
    """A task that reads all files of a folder."""

    seconds = 5.0

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def judge(self, machine: Machine) -> tuple[list[dict[str, Any]], list[str]]:
        for name in machine.names(self._folder):
            machine.read(f"{self._folder}/{name}")
        return [], []

    def unjudged(self, reason: str, summary: str) -> list[dict[str, Any]]:
        return [{"reason": reason, "summary": summary}]


def test_a_name_that_is_no_utf8_is_a_note_like_others(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff")).write_text("content")
    facts, lines = carried(RecordJob(_Looks(tmp_path), "looks"))
    assert facts["status"] == "collected"
    names, content = (NOTE.validate_json(line) for line in lines.splitlines())
    assert isinstance(names, LookNote)
    assert isinstance(content, ReadNote)
    assert (names.value, content.path, content.text) == (["odd?"], f"{tmp_path}/odd?", "content")
