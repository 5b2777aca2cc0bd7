"""Take up a run that ended before its last node."""

from dataclasses import dataclass

from sparkctl.errors import UsageError
from sparkctl.inventory.shards import Shard
from sparkctl.store.entries import RunEntry, RunKind
from sparkctl.store.store import Store

LAST = "last"


@dataclass(frozen=True, slots=True)
class Earlier:
    """The run to take up."""

    run_id: str
    selector: str
    shard: Shard | None


def facets_of(store: Store, wanted: str) -> list[str]:
    """The facets that the collection to take up asked for; raises UsageError when there is none."""
    return asked_of(store, wanted, RunKind.COLLECT).split(",")


def asked_of(store: Store, wanted: str, kind: RunKind) -> str:
    """What the run to take up asked for, as the store keeps it; raises UsageError when there is none."""
    return _named(store, wanted, kind).asked


def find_earlier(store: Store, wanted: str, kind: RunKind, asked: str, program_sha256: str) -> Earlier:
    """The run named `wanted`, or the last one of this kind; raises UsageError when it cannot be taken up."""
    entry = _named(store, wanted, kind)
    if entry.kind is not kind:
        raise UsageError(
            f"run {entry.run_id} was a run of {entry.kind.value}, not of {kind.value}",
            hint=f"take it up with: sparkctl {entry.kind.value} --resume {entry.run_id}",
        )
    if entry.asked != asked:
        raise UsageError(
            f"run {entry.run_id} asked for {entry.asked}", hint="ask for the same, or for nothing in particular"
        )
    if entry.program_sha256 != program_sha256:
        raise UsageError(
            f"run {entry.run_id} asked other things than this version of sparkctl does",
            hint="its results and new ones would not belong together: start a new run",
        )
    return Earlier(entry.run_id, entry.selector, Shard.parse(entry.shard) if entry.shard else None)


def _named(store: Store, wanted: str, kind: RunKind) -> RunEntry:
    if wanted == LAST:
        runs = store.runs(1, kind)
        if not runs:
            words = f"the store in {store.folder} has no run of {kind.value} yet"
            raise UsageError(words, hint=f"start one with: sparkctl {kind.value}")
        return runs[0]
    entry = store.run(wanted)
    if entry is None:
        raise UsageError(f"the store in {store.folder} has no run {wanted!r}", hint="the last one is called: last")
    return entry
