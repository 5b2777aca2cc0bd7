"""What a run says that it took is its own."""

import subprocess
import sys

from sparkctl.app.own_cost import peak_rss_bytes

MIB = 2**20
IMPORT = "from sparkctl.app.own_cost import peak_rss_bytes"


def printed(statements: str) -> int:
    command = [sys.executable, "-c", f"{IMPORT}\n{statements}"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_the_peak_is_not_that_of_the_program_that_started_it() -> None:
    ballast = bytearray(200 * MIB)
    assert peak_rss_bytes() > len(ballast)
    assert MIB < printed("print(peak_rss_bytes())") < 60 * MIB


def test_the_peak_counts_what_was_freed_again() -> None:
    grown = printed("before = peak_rss_bytes()\nbytearray(80 * 2**20)\nprint(peak_rss_bytes() - before)")
    assert grown > 60 * MIB
