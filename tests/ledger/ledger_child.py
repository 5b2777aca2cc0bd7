"""A process that enters facts one by one, and says which are entered."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.store.store import Store
from tests.ledger.book import fact

if __name__ == "__main__":
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    with Store.open(folder) as store:
        for number in range(count):
            entry = store.ledger.add([fact(number)], datetime.now(UTC))[0]
            sys.stdout.write(f"{entry.seq} {entry.sha256}\n")
            sys.stdout.flush()
