"""What a run says that it took is its own."""

import subprocess
import sys

from sparkctl.app.own_cost import peak_rss_bytes

MIB = 2**20
ASKED = "from sparkctl.app.own_cost import peak_rss_bytes; print(peak_rss_bytes())"


def test_the_peak_is_not_that_of_the_program_that_started_it() -> None:
    ballast = bytearray(200 * MIB)
    child = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert peak_rss_bytes() > len(ballast)
    assert MIB < int(child.stdout) < 60 * MIB


def test_the_peak_counts_what_was_freed_again() -> None:
    grown = f"{ASKED.replace('; print', '; before = peak_rss_bytes(); bytearray(80 * 2**20); print')[:-1]} - before)"
    child = subprocess.run([sys.executable, "-c", grown], capture_output=True, text=True, check=True)
    assert int(child.stdout) > 60 * MIB
