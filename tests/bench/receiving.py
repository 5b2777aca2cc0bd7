"""What the four-way match costs, by the number of rows, against parsing the same rows as JSON documents.

A delivery holds every class: what is well, and one in a hundred rows of each thing that can be wrong.

    python -m tests.bench.receiving               1,000, 10,000 and 100,000 rows: about a minute
    python -m tests.bench.receiving --rows 10000
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable

from pydantic import BaseModel

from tests.lifecycle.deliveries import Delivery, delivery_of


def best_of_three(work: Callable[[], object]) -> float:
    """CPU seconds of the best of three runs."""
    best = float("inf")
    for _ in range(3):
        gc.collect()
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def main(arguments: list[str]) -> int:
    """Print one line for each number of rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, action="append")
    wanted: list[int] = parser.parse_args(arguments).rows or [1000, 10_000, 100_000]
    print("CPU, best of three")
    print(f"{'rows':>8} {'match':>9} {'a row':>9} {'parse':>9} {'ratio':>6}")
    for number in wanted:
        made, _ = delivery_of(number)
        texts = [(type(row), row.model_dump_json()) for row in _rows(made)]

        def parse(texts: list[tuple[type[BaseModel], str]] = texts) -> None:
            for kind, text in texts:
                kind.model_validate_json(text)

        matching, parsing = best_of_three(made.matched), best_of_three(parse)
        rows, each = len(texts), matching / len(texts) * 1e6
        print(f"{rows:8,} {matching:7.3f} s {each:6.1f} µs {parsing:7.3f} s {matching / parsing:6.2f}")
    return 0


def _rows(made: Delivery) -> list[BaseModel]:
    return [*made.orders, *made.notices, *made.scans, *made.observed]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
