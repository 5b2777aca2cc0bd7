"""What it costs to verify a ledger, beside `sha256sum` of the same bytes in the same round.

    python -m tests.bench.ledger            10,000 entries, five rounds: about a minute
    python -m tests.bench.ledger --quick    one round

Signed means that each entry bears a signature of one Ed25519 key, which is held against an allowed-signers file. Memory
is the peak of the process tree. A ledger of a tenth of the size tells how it grows with what is in it.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from sparkctl.app.ledger_checkpoint import make_checkpoint
from sparkctl.app.ledger_sign import sign_entries
from sparkctl.app.ledger_verify import verify_ledger
from sparkctl.store.store import Store
from tests.bench import machine
from tests.bench.figures import Aim, Spread, table
from tests.bench.measure import Cost
from tests.bench.options import parser as command_line
from tests.bench.page import replace_section
from tests.bench.runs import measured
from tests.ledger.book import START, allowed, fact, key_pair

ENTRIES, PARTS = 10_000, 10
MOST_SECONDS, MOST_SIGNED_SECONDS, MOST_RATIO = 5.0, 15.0, 100.0


def made(folder: Path, entries: int) -> Path:
    """A state folder with a ledger under a checkpoint, and its entries in a file, for sha256sum."""
    state = folder / "state"
    with Store.open(state) as store:
        for at in range(0, entries, 100):
            store.ledger.add([fact(number) for number in range(at, at + 100)], START)
        (folder / "entries").write_bytes(b"\n".join(entry.canonical for entry in store.ledger.entries()))
    make_checkpoint(state, None, "bench", START)
    return state


def cost(command: list[str], scratch: Path, core: int) -> Cost:
    """What a command costs on one core."""
    spent, said = measured(command, dict(os.environ), core, scratch / "output")
    if spent.status != 0:
        raise SystemExit(f"{command[0]} ended with {spent.status}: {said}")
    return spent


def ours(scratch: Path, folder: Path, core: int, *signers: str) -> Cost:
    """The cost of verifying, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.ledger", "--one", str(folder / "state"), *signers]
    return cost(command, scratch, core)


def one(state: str, signers: str | None = None) -> int:
    """What is measured."""
    report = verify_ledger(Path(state), Path(signers) if signers else None)
    return 0 if report.holds and (signers is None or report.unsigned == 0) else 1


def main(arguments: list[str]) -> int:
    """Measure, print, and with --write put it into the page."""
    if arguments[:1] == ["--one"]:
        return one(*arguments[1:])
    options = command_line("ledger", __doc__)
    options.add_argument("--quick", action="store_true", help="one round")
    options.add_argument("--write", action="store_true", help="write the results into docs/performance.md")
    chosen = options.parse_args(arguments)
    with machine.alone(), tempfile.TemporaryDirectory(prefix="ledger-") as name:
        scratch, core = Path(name), machine.Cores.shared_out().client
        folders = [scratch / words for words in ("plain", "small", "signed")]
        for folder, entries in zip(folders, (ENTRIES, ENTRIES // PARTS, ENTRIES), strict=True):
            folder.mkdir()
            made(folder, entries)
        sign_entries(folders[2] / "state", key := key_pair(scratch))
        signers = allowed(scratch, bench=key)
        hashing = [str(shutil.which("sha256sum")), str(folders[0] / "entries")]
        rounds = [
            (
                ours(scratch, folders[0], core),
                ours(scratch, folders[1], core),
                ours(scratch, folders[2], core, str(signers)),
                cost(hashing, scratch, core),
            )
            for _ in range(1 if chosen.quick else 5)
        ]
        size = (folders[0] / "entries").stat().st_size
    text = report(rounds, size)
    sys.stdout.write(f"{text}\n")
    if chosen.write:
        replace_section("ledger", text)
    return 0


def report(rounds: list[tuple[Cost, Cost, Cost, Cost]], size: int) -> str:
    """The tables for the page, of rounds with the plain ledger, the small one, the signed one, and sha256sum."""
    aims = [
        Aim(f"verify {ENTRIES:,} entries", Spread.of([plain.wall_s for plain, *_ in rounds]), MOST_SECONDS, "s"),
        Aim(
            f"verify {ENTRIES:,} signed entries",
            Spread.of([signed.wall_s for *_, signed, _ in rounds]),
            MOST_SIGNED_SECONDS,
            "s",
        ),
        Aim(
            "CPU of 9,000 entries beside sha256sum of all bytes",
            Spread.of([(plain.cpu_s - small.cpu_s) / max(hashed.cpu_s, 1e-3) for plain, small, _, hashed in rounds]),
            MOST_RATIO,
        ),
    ]
    peaks = [
        [words, Spread.of([costs[at].peak_mib for costs in rounds]).show(0)]
        for at, words in enumerate((f"{ENTRIES:,} entries", f"{ENTRIES // PARTS:,} entries", f"{ENTRIES:,} signed"))
    ]
    parts = (
        table(["", ""], [list(row) for row in machine.describe()]),
        f"{size / 2**20:.1f} MiB of entries; {len(rounds)} rounds, in turn.",
        table(["what", "aim", "measured", ""], [aim.row() for aim in aims]),
        table(["peak memory", "MiB"], peaks),
    )
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
