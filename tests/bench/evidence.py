"""What it costs to seal and verify a bundle, beside `tar | zstd` and back of the same files in the same round.

    python -m tests.bench.evidence            50 MiB, five rounds: about a minute
    python -m tests.bench.evidence --quick    one round

Memory is the peak of the process tree. A bundle of a tenth of the size tells whether it grows with what is in it.
"""

import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

from sparkctl.evidence.sealing import seal
from sparkctl.evidence.signers import signer_of
from sparkctl.evidence.trust import PublicKey
from sparkctl.evidence.verifying import verify
from tests.bench import machine
from tests.bench.figures import Aim, Spread, table
from tests.bench.measure import Cost
from tests.bench.options import parser as command_line
from tests.bench.page import replace_section
from tests.bench.runs import measured
from tests.evidence.making import ABOUT, SALT_KEY, facts_of, pem_key

SIZE, PARTS = 50 * 2**20, 10  # bytes, and how many times the small bundle goes into the large one
TREE_FILES, TREE_BYTES = 2000, 600
MOST_RATIO, MOST_GROWTH, MOST_SECONDS = 5.0, 1.1, 10.0
TAR = 'tar -C "$0" -cf - . | zstd -q3 > "$1" && zstd -dcq "$1" | tar -xf - --to-stdout > /dev/null'


def make(folder: Path, size: int) -> None:
    """Files as a node has them: many small ones of a tree, and logs; always as many files, and `size` bytes in all."""
    chance = random.Random(size)
    words = [f"{chance.getrandbits(32):08x}" for _ in range(4000)]
    for number in range(TREE_FILES):
        place = folder / f"tree/sys/{number % 40}/{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(chance.randbytes(TREE_BYTES // 2).hex().encode())
    (folder / "artefacts").mkdir()
    for number in range(5):
        with (folder / f"artefacts/{number}.log").open("w") as log:
            while log.tell() < (size - TREE_FILES * TREE_BYTES) // 5:
                log.writelines(f"{chance.random():.6f} {' '.join(chance.choices(words, k=14))}\n" for _ in range(500))


def seal_and_verify(folder: Path, key: Path, out: Path) -> None:
    """What is measured, in a process of its own."""
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    seal(folder, facts_of(paths), [], ABOUT, out, salt_key=SALT_KEY, signer=signer_of(key))
    verify(out, PublicKey(key.with_name("key.pub.pem")))


def ours(scratch: Path, folder: Path, core: int) -> Cost:
    """The cost of sealing and verifying a folder."""
    (scratch / "bundle").unlink(missing_ok=True)
    arguments = ["--one", str(folder), str(scratch / "key.pem"), str(scratch / "bundle")]
    return cost([sys.executable, "-m", "tests.bench.evidence", *arguments], scratch, core)


def theirs(scratch: Path, folder: Path, core: int) -> Cost:
    """The cost of packing and unpacking the same, which proves nothing."""
    return cost(["bash", "-c", f"set -o pipefail; {TAR}", str(folder), str(scratch / "packed")], scratch, core)


def cost(command: list[str], scratch: Path, core: int) -> Cost:
    """What a command costs on one core; its standard output lies in `output` in `scratch`."""
    spent, said = measured(command, dict(os.environ), core, scratch / "output")
    if spent.status != 0:
        raise SystemExit(f"{command[0]} ended with {spent.status}: {said}")
    return spent


def main(arguments: list[str]) -> int:
    """Measure, print, and with --write put it into the page."""
    if arguments[:1] == ["--one"]:
        seal_and_verify(*map(Path, arguments[1:]))
        return 0
    options = command_line("evidence", __doc__)
    options.add_argument("--quick", action="store_true", help="one round")
    options.add_argument("--write", action="store_true", help="write the results into docs/performance.md")
    chosen = options.parse_args(arguments)
    if not shutil.which("zstd") or not shutil.which("tar"):
        raise SystemExit("install zstd and tar: they are what this is compared with")
    with machine.alone(), tempfile.TemporaryDirectory(prefix="evidence-") as name:
        scratch, core = Path(name), machine.Cores.shared_out().client
        pem_key(scratch)
        make(scratch / "large", SIZE)
        make(scratch / "small", SIZE // PARTS)
        folders = (scratch / "large", scratch / "small")
        rounds = [
            (*(ours(scratch, folder, core) for folder in folders), theirs(scratch, folders[0], core))
            for _ in range(1 if chosen.quick else 5)
        ]
    text = report(rounds)
    sys.stdout.write(f"{text}\n")
    if chosen.write:
        replace_section("evidence", text)
    return 0


def report(rounds: list[tuple[Cost, ...]]) -> str:
    """The tables for the page, of rounds with the large bundle, the small one, and tar with zstd."""
    seconds = Spread.of([large.wall_s for large, _, _ in rounds])
    aims = [
        Aim(f"seal and verify {SIZE // 2**20} MiB", seconds, MOST_SECONDS, "s"),
        Aim("CPU beside tar and zstd", Spread.of([large.cpu_s / tar.cpu_s for large, _, tar in rounds]), MOST_RATIO),
        Aim(
            f"peak memory beside that of a bundle of {SIZE // 2**20 // PARTS} MiB",
            Spread.of([large.peak_mib / small.peak_mib for large, small, _ in rounds]),
            MOST_GROWTH,
        ),
    ]
    peaks = [
        [words, Spread.of([costs[at].peak_mib for costs in rounds]).show(0)]
        for at, words in enumerate((f"{SIZE // 2**20} MiB", f"{SIZE // 2**20 // PARTS} MiB", "tar and zstd, 50 MiB"))
    ]
    parts = (
        table(["", ""], [list(row) for row in machine.describe()]),
        f"{TREE_FILES + 5:,} files, signed with an Ed25519 key; {len(rounds)} rounds, in turn.",
        table(["what", "aim", "measured", ""], [aim.row() for aim in aims]),
        table(["peak memory", "MiB"], peaks),
    )
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
