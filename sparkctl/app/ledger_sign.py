"""Sign entries of the book of custody that nobody has signed."""

from pathlib import Path

from sparkctl.app.ledger_verify import require_whole
from sparkctl.evidence.custody import sign_all
from sparkctl.store.store import Store


def sign_entries(state: Path, key: Path, since: int = 1) -> list[int]:
    """Sign the entries from a number on that bear no signature yet; their numbers.

    Raises RefusedError when the ledger does not hold, UsageError when the key cannot sign.
    """
    with Store.open(state, create=False) as store:
        with store.ledger.snapshot() as snapshot:
            require_whole(snapshot)
            waiting = [row for row in snapshot.rows() if row.signature is None and (row.seq or 0) >= since]
        # While somebody types a passphrase, nobody has to wait for the store.
        made = sign_all([row.body for row in waiting], key)
        signatures = {
            row.seq: (row.sha256, armoured) for row, armoured in zip(waiting, made, strict=True) if row.seq is not None
        }
        store.ledger.add_signatures(signatures)
    return sorted(signatures)
