"""Spools: of real collections, kept so that one can be sealed again and again, and made up."""

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sparkctl.app import bundle_collect
from sparkctl.app.places import Places
from sparkctl.app.run import RunRequest
from sparkctl.app.sealing import Order, SealedBundle, seal_spool
from sparkctl.app.spool import place_of
from sparkctl.executor.limits import Limits
from sparkctl.lab.state import Lab
from sparkctl.model.alert import AlertNews
from sparkctl.model.bundle import BundleEnvelope
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.report.outputs import Report
from sparkctl.transport.seam import TransportError
from tests.support.envelopes import envelope

MACHINE = {"op": "machine", "live": True, "now": 7.5, "euid": 0, "ends": 3}


def kept_spools(lab: Lab, folder: Path, selector: str = "all", named: tuple[str, ...] = ()) -> list[Order]:
    """Collect from nodes of a lab over SSH; what would be sealed is kept in `folder` instead."""
    keeper = _Keeper(folder)

    @contextmanager
    def pool(_seconds: float) -> Iterator[_Keeper]:
        yield keeper

    places = Places(lab.fleet_file, folder / "state", os.environ)
    request = RunRequest(places=places, selector=selector, limits=Limits())
    with patch.object(bundle_collect, "seal_pool", pool):
        bundle_collect.collect_bundles(
            request, bundle_collect.BundleOptions(out=folder / "out", named=named), Silence()
        )
    return keeper.orders


def fresh(order: Order, folder: Path) -> Order:
    """The same order over a copy of its spool in a new folder, which sealing may write into."""
    folder.mkdir(parents=True)
    shutil.copytree(order.spool, folder / "spool")
    return replace(order, spool=folder / "spool", out=folder / "bundle")


def sealed_again(order: Order, folder: Path) -> SealedBundle:
    """Seal a copy of a spool in a new folder."""
    return seal_spool(fresh(order, folder))


class _Keeper:
    """Stands where the pool does that seals."""

    cpu_s, peak_rss_bytes = 0.0, 0

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.orders: list[Order] = []

    async def seal(self, order: Order) -> SealedBundle:
        target = self._folder / order.envelope.meta.node.hostname
        shutil.copytree(order.spool, target)
        self.orders.append(replace(order, spool=target))
        raise TransportError(Stage.SEAL, Cause.NOT_KEPT, "its spool was kept in place of a bundle")


class Silence:
    """A run that says nothing."""

    def begin(self, selected: int) -> None:
        pass

    def outcome(self, outcome: NodeOutcome) -> None:
        pass

    def tick(self, awaited: Collection[str]) -> None:
        pass

    def end(self, report: Report) -> None:
        pass

    def alerts(self, news: AlertNews) -> None:
        pass


def spooled(
    folder: Path,
    notes: Sequence[Mapping[str, Any]],
    artefacts: Mapping[str, bytes],
    archives: Collection[str] = (),
    **tasks: Mapping[str, Any],
) -> Order:
    """An order over a spool made up in a new folder: one recorded task with these notes, these artefacts as text.

    Those whose names are among `archives` are reports of a tool, which is in a tar. `tasks` are further
    recorded tasks, of which nothing came; an artefact's facts are changed in `order.data`.
    """
    spool = folder / "spool"
    spool.mkdir(parents=True)
    lines = b"".join(json.dumps(note).encode() + b"\n" for note in (MACHINE, *notes))
    sent = [lines, *(b"" for _ in tasks), *artefacts.values()]
    for number, content in enumerate(sent):
        place_of(spool, number).write_bytes(content)
    whole = {"status": "collected", "wall_ms": 1}
    recording = [{"name": "machine", "bytes": len(lines), **whole}]
    recording += [{"name": name, "bytes": 0, **whole, **facts} for name, facts in tasks.items()]
    taken = [
        {"name": name, "collector": "test.one", "source": {"path": "/var/log/one"}, "kind": "text"}
        | ({"source": {"argv": ["/usr/bin/tool", "--report"]}, "kind": "archive"} if name in archives else {})
        | {"bytes": len(content), **whole}
        for name, content in artefacts.items()
    ]
    document = envelope(schema="sparkctl.bundle/1")
    document["data"] = {"recording": recording, "artefacts": taken, "listing": []}
    decoded = BundleEnvelope.model_validate_json(json.dumps(document))
    return Order(spool, decoded, simulated=True, out=folder / "bundle")
