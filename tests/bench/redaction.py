"""How fast redaction is on one core, beside the same rules given to Python's own `re`, rule by rule, in the same run.

The material is invented: what sshd, sudo, the kernel, containers and journalctl write on a node, in the shares in which
a bundle holds them, with real and decoy identifiers in between.

    python -m tests.bench.redaction            50 MiB; the alternative gets a part of it
    python -m tests.bench.redaction --quick    4 MiB
"""

import io
import json
import random
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterator

from sparkctl.redaction.known import Known
from sparkctl.redaction.learning import Learner
from sparkctl.redaction.redactor import Kind, Redactor
from sparkctl.redaction.rules import RULES
from sparkctl.redaction.standins import Pseudonyms
from tests.bench import machine
from tests.bench.figures import table
from tests.bench.options import parser as command_line

SIZE, QUICK, ALTERNATIVE = 50 * 2**20, 4 * 2**20, 2 * 2**20
KEY = bytes(range(32))
AIM = 30.0
HOST, USER = "spark-07", "ablumenthal"


WORDS = ("queue", "worker", "retry", "allocated", "tensor", "batch", "systemd", "/usr/lib/x86/thing", "shard=3", "ok")


def _words(chance: random.Random) -> Iterator[str]:
    for _ in range(12):
        number = chance.getrandbits(32)
        yield chance.choice((*WORDS, f"0x{number:x}", str(number % 100_000)))


def _line(chance: random.Random) -> str:
    hour, minute, second, pid = (chance.randint(10, most) for most in (23, 59, 59, 99_999))
    stamp = f"Nov {chance.randint(10, 29)} {hour}:{minute}:{second} {HOST}"
    address = f"10.{chance.randint(0, 3)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"
    kind = chance.random()
    if kind < 0.1:
        return f"{stamp} sshd[{pid}]: Accepted publickey for {USER} from {address} port {pid} ssh2"
    if kind < 0.2:
        return f"{stamp} kernel: [{pid}.{pid:06}] nvme nvme0: I/O tag {pid} ({pid:04x}:{pid % 999}) timeout"
    if kind < 0.3:
        return f"{stamp} dockerd[{pid}]: container {chance.getrandbits(256):064x} health check on {address}:8000 passed"
    if kind < 0.33:
        return f"{stamp} sudo[{pid}]: {USER} : TTY=pts/0 ; PWD=/home/{USER} ; USER=root ; COMMAND=/usr/bin/id"
    return f"{stamp} vllm[{pid}]: INFO {' '.join(_words(chance))}"


def _entry(chance: random.Random, boot: str) -> str:
    message = _line(chance).partition(": ")[2]
    if chance.random() < 0.1:
        message = f'said "{message}"\tand more'
    return json.dumps({
        "__CURSOR": f"s={boot};i={chance.getrandbits(20):x};b={boot};m={chance.getrandbits(32):x}",
        "__REALTIME_TIMESTAMP": str(chance.randint(10**15, 2 * 10**15)), "_BOOT_ID": boot, "_MACHINE_ID": boot[::-1],
        "_HOSTNAME": HOST, "PRIORITY": "6", "_UID": "1000", "_TRANSPORT": "journal", "SYSLOG_IDENTIFIER": "vllm",
        "_SYSTEMD_UNIT": "vllm.service", "_CMDLINE": f"/usr/bin/python3 -m serve --host 0.0.0.0 --model /home/{USER}/m",
        "MESSAGE": message,
    })  # fmt: skip


def material(size: int, one: Callable[[random.Random], str]) -> bytes:
    """About so many bytes of lines."""
    chance = random.Random(11)
    parts, made = [], 0
    while made < size:
        line = (one(chance) + "\n").encode()
        parts.append(line)
        made += len(line)
    return b"".join(parts)


def shares(size: int) -> Iterator[tuple[str, Kind, bytes]]:
    """The mix: half of it text, half of it the journal as JSON."""
    boot = uuid.UUID(int=random.Random(3).getrandbits(128)).hex
    yield "syslog", Kind.TEXT, material(size // 2, _line)
    yield "journal", Kind.JOURNAL_JSON, material(size - size // 2, lambda chance: _entry(chance, boot))


def redactor() -> Redactor:
    """One that knows the node."""
    known = Known()
    known.harvest("etc/hostname", HOST.encode())
    known.harvest("etc/passwd", f"{USER}:x:1000:1000:Anna Blumenthal:/home/{USER}:/bin/bash\n".encode())
    return Redactor(Pseudonyms(KEY), known)


def with_re(content: bytes) -> float:
    """Seconds that the same expressions take one after the other in `re.sub`, with one stand-in for all."""
    rules = [re.compile(rule.pattern.encode()) for rule in RULES]
    began = time.process_time()
    for line in io.BytesIO(content):
        for rule in rules:
            rule.sub(b"x", line)
    return time.process_time() - began


def main(arguments: list[str]) -> int:
    """Measure and print."""
    options = command_line("redaction", __doc__)
    options.add_argument("--quick", action="store_true", help="4 MiB in place of 50")
    chosen = options.parse_args(arguments)
    size = QUICK if chosen.quick else SIZE
    rows, total, learning = [], 0.0, 0.0
    for name, kind, content in shares(size):
        began = time.process_time()
        Learner(Known()).read(name, kind, io.BytesIO(content), seconds=600)
        learning += time.process_time() - began
        began = time.process_time()
        redactor().stream(name, kind, io.BytesIO(content), io.BytesIO(), seconds=600)
        took = time.process_time() - began
        total += took
        part = content[: ALTERNATIVE if not chosen.quick else ALTERNATIVE // 4]
        speed, other = len(content) / 2**20 / took, len(part) / 2**20 / with_re(part)
        rows.append([name, f"{speed:.2f} MiB/s", f"{other:.2f} MiB/s", f"{speed / other:.1f}"])
    spent = (
        f"{size / 2**20:.0f} MiB on one core: {total:.1f} s, and {learning:.1f} s to learn before that"
        f" (aim: together below {AIM:.0f} s for 50 MiB)."
    )
    text = "\n\n".join(
        (
            table(["", ""], [list(row) for row in machine.describe()]),
            table(["material", "sparkctl", "the same rules in `re`", "times as fast"], rows),
            spent,
        )
    )
    sys.stdout.write(f"{text}\n")
    return 0 if total + learning <= AIM else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
