"""Take up a run that ended before its last node."""

from dataclasses import dataclass

from sparkctl.errors import UsageError
from sparkctl.inventory.shards import Shard
from sparkctl.store.entries import RunEntry
from sparkctl.store.store import Store

LAST = "last"


@dataclass(frozen=True, slots=True)
class Earlier:
    """The run to take up."""

    run_id: str
    selector: str
    shard: Shard | None


def find_earlier(store: Store, wanted: str, program_sha256: str) -> Earlier:
    """The run named `wanted`, or the last one; raises UsageError when it cannot be taken up."""
    entry = _named(store, wanted)
    if entry.program_sha256 != program_sha256:
        raise UsageError(
            f"run {entry.run_id} asked other checks than this version of sparkctl has",
            hint="its results and new ones would not belong together: start a new sweep",
        )
    return Earlier(entry.run_id, entry.selector, Shard.parse(entry.shard) if entry.shard else None)


def _named(store: Store, wanted: str) -> RunEntry:
    if wanted == LAST:
        runs = store.runs(1)
        if not runs:
            raise UsageError(f"the store in {store.folder} has no run yet", hint="start one with: sparkctl health")
        return runs[0]
    entry = store.run(wanted)
    if entry is None:
        raise UsageError(f"the store in {store.folder} has no run {wanted!r}", hint="the last one is called: last")
    return entry
