"""What `reset_reason_reporter` costs a node whose journal has a gigabyte, beside reading the last boot's journal once.

Makes a journal of thirty boots with systemd-journal-remote (Debian and Ubuntu: the package of that name) and puts
the question to it. The alternative is what scripts do: `journalctl -b -1 --no-pager`, all of it into a pipe.

    python -m tests.bench.journal            1 GiB: about two minutes
    python -m tests.bench.journal --quick    64 MiB
"""

import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests.bench import machine
from tests.bench.figures import Aim, Spread, table
from tests.bench.options import parser as command_line
from tests.bench.page import replace_section

REMOTE = ("/usr/lib/systemd/systemd-journal-remote", "/lib/systemd/systemd-journal-remote")
BOOTS, TIMES = 30, 5
BYTES_PER_ENTRY = 500
FOLDER = "var/log/journal/5d2c6f0e9b1a4c5f8e7d3a2b1c0f9e8d"
MOST_SECONDS, MOST_CPU_SECONDS, MOST_BYTES = 3.0, 1.0, 64 * 1024


def entries(count: int) -> Iterator[bytes]:
    """Entries in systemd's export format: a kernel message for a dozen of services, in boots of equal length."""
    chance = random.Random(5)
    words = [f"{chance.getrandbits(32):08x}" for _ in range(4000)]
    machine_id, real = uuid.UUID(int=chance.getrandbits(128)).hex, 1_760_000_000_000_000
    for _ in range(BOOTS):
        boot_id, since = uuid.UUID(int=chance.getrandbits(128), version=4).hex, 1_000_000
        for _ in range(count // BOOTS):
            step = chance.randint(1000, 400_000)
            since, real = since + step, real + step
            fields = [f"__REALTIME_TIMESTAMP={real}", f"__MONOTONIC_TIMESTAMP={since}", f"_BOOT_ID={boot_id}"]
            fields += [
                f"_MACHINE_ID={machine_id}",
                "MESSAGE=" + " ".join(chance.choices(words, k=chance.randint(6, 30))),
            ]
            fields += _kernel(chance, since) if chance.random() < 0.08 else _service(chance)
            yield ("\n".join(fields) + "\n\n").encode()
        real += 60_000_000


def _kernel(chance: random.Random, since: int) -> list[str]:
    priority = chance.choice([3, 4, 5, 6, 6, 6])
    return ["_TRANSPORT=kernel", "SYSLOG_IDENTIFIER=kernel", "SYSLOG_FACILITY=0", f"PRIORITY={priority}",
            f"_SOURCE_MONOTONIC_TIMESTAMP={since}"]  # fmt: skip


def _service(chance: random.Random) -> list[str]:
    name = f"svc{chance.randint(0, 40)}"
    return ["_TRANSPORT=journal", f"SYSLOG_IDENTIFIER={name}", "PRIORITY=6", f"_PID={chance.randint(2, 40_000)}",
            "_UID=1000", f"_SYSTEMD_UNIT={name}.service", "_COMM=svc", f"_CMDLINE=/usr/bin/{name} --serve"]  # fmt: skip


def make(root: Path, size: int) -> str:
    """Write a journal of about `size` bytes under a root; the id of its newest boot. Needs systemd-journal-remote."""
    tool = next((path for path in REMOTE if Path(path).exists()), None)
    if tool is None or shutil.which("journalctl") is None:
        raise SystemExit("install systemd-journal-remote: it writes the journal that is read here")
    folder = root / FOLDER
    folder.mkdir(parents=True)
    argv = [tool, "--output", str(folder / "system.journal"), "--split-mode=none", "-"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as writer:
        assert writer.stdin is not None
        for entry in entries(size // BYTES_PER_ENTRY):
            writer.stdin.write(entry)
    listed = ["journalctl", f"--directory={folder}", "--list-boots", "--output=json"]
    boots = json.loads(subprocess.run(listed, capture_output=True, check=True).stdout)
    newest = str(uuid.UUID(boots[-1]["boot_id"]))
    place = root / "proc/sys/kernel/random/boot_id"
    place.parent.mkdir(parents=True)
    place.write_text(f"{newest}\n")
    return newest


def timed(argv: list[str]) -> tuple[float, float, bytes]:
    """Seconds of wall time and of CPU that a command took with its children, and what it printed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ran = subprocess.run(argv, capture_output=True, check=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - started
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ran.stdout


def main(arguments: list[str]) -> int:
    """Measure, print, and with --write put it into the page."""
    options = command_line("journal", __doc__)
    options.add_argument("--quick", action="store_true", help="64 MiB in place of a gigabyte")
    options.add_argument("--write", action="store_true", help="write the results into docs/performance.md")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="journal-") as name:
        root = Path(name)
        make(root, (64 if chosen.quick else 1024) * 2**20)
        size = sum(path.stat().st_size for path in (root / FOLDER).iterdir())
        ours = [sys.executable, str(machine.ROOT / "diag/reset_reason_reporter.py"), f"--root={root}"]
        theirs = ["journalctl", f"--directory={root / FOLDER}", "--boot=-1", "--no-pager"]
        rounds = [(timed(ours), timed(theirs)) for _ in range(TIMES)]
    aims = [
        Aim("time to verdict", Spread.of([mine[0] for mine, _ in rounds]), MOST_SECONDS, "s"),
        Aim("CPU on the node, children included", Spread.of([mine[1] for mine, _ in rounds]), MOST_CPU_SECONDS, "s"),
        Aim("the document", Spread.of([len(mine[2]) / 1024 for mine, _ in rounds]), MOST_BYTES / 1024, "KiB"),
    ]
    ratio = Spread.of([mine[1] / other[1] for mine, other in rounds])
    text = "\n\n".join(
        (
            table(["", ""], [list(row) for row in machine.describe()]),
            f"A journal of {size / 2**20:,.0f} MiB with {BOOTS} boots; {TIMES} rounds, in turn.",
            table(["what", "aim", "measured", ""], [aim.row() for aim in aims]),
            f"CPU as a multiple of `journalctl -b -1` into a pipe: {ratio.show()}.",
        )
    )
    sys.stdout.write(f"{text}\n")
    if chosen.write:
        replace_section("journal", text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
