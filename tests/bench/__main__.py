"""Run both benchmarks and put what they found into docs/performance.md: `python -m tests.bench`, about fifteen minutes.

Options are handed to both: `python -m tests.bench --quick`.
"""

import sys

from tests.bench import fanout, scale

if __name__ == "__main__":
    given = sys.argv[1:]
    if "--help" in given or "-h" in given:
        print(__doc__)
        sys.exit(0)
    whole = [] if "--quick" in given else ["--full"]
    failed = [fanout.main(["--write", *given]), scale.main(["--write", *whole, *given])]
    sys.exit(max(failed))
