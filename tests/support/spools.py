"""Spools of real collections, kept so that one can be sealed again and again."""

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from sparkctl.app import bundle_collect
from sparkctl.app.places import Places
from sparkctl.app.run import RunRequest
from sparkctl.app.sealing import Order, SealedBundle, seal_spool
from sparkctl.executor.limits import Limits
from sparkctl.lab.state import Lab
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.report.outputs import Report
from sparkctl.transport.seam import TransportError


def kept_spools(lab: Lab, folder: Path, selector: str = "all") -> list[Order]:
    """Collect from nodes of a lab over SSH; what would be sealed is kept in `folder` instead."""
    keeper = _Keeper(folder)

    @contextmanager
    def pool() -> Iterator[_Keeper]:
        yield keeper

    places = Places(lab.fleet_file, folder / "state", os.environ)
    request = RunRequest(places=places, selector=selector, limits=Limits())
    with patch.object(bundle_collect, "seal_pool", pool):
        bundle_collect.collect_bundles(request, bundle_collect.BundleOptions(out=folder / "out"), _Silence())
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


class _Silence:
    """A run that says nothing."""

    def begin(self, selected: int) -> None:
        pass

    def outcome(self, outcome: NodeOutcome) -> None:
        pass

    def tick(self, awaited: Collection[str]) -> None:
        pass

    def end(self, report: Report) -> None:
        pass
