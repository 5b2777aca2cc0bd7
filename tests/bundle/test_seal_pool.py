"""Each seal has its time and its process: one that hangs or dies costs its own bundle, and no other."""

import asyncio
import multiprocessing
import os
from pathlib import Path

import pytest

from sparkctl.app.seal_pool import SealPool, seal_pool
from sparkctl.app.sealing import Order
from sparkctl.app.spool import place_of
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.seam import TransportError
from tests.support.spools import spooled


def stuck(folder: Path) -> Order:
    """An order that never comes to an end: nobody writes into the pipe that it reads."""
    order = spooled(folder, [], {"group/one": b"good\n"})
    place_of(order.spool, 0).unlink()
    os.mkfifo(place_of(order.spool, 0))
    return order


def test_a_seal_that_takes_too_long_is_refused_and_its_process_is_gone(tmp_path: Path) -> None:
    order = stuck(tmp_path / "stuck")
    unfinished = tmp_path / "stuck" / f".{order.out.name}.abcdef"
    unfinished.write_bytes(b"half")
    before = multiprocessing.active_children()
    with seal_pool(seconds=0.5) as pool:
        with pytest.raises(TransportError, match=r"not sealed within 0\.5 s") as refused:
            asyncio.run(pool.seal(order))
        assert multiprocessing.active_children() == before
    assert (refused.value.stage, refused.value.cause) == (Stage.SEAL, Cause.TIMEOUT)
    assert list((tmp_path / "stuck").iterdir()) == []


async def _seal_beside_one_that_dies(pool: SealPool, dying: Order, *others: Order) -> None:
    asked = asyncio.create_task(pool.seal(dying))
    while not (children := multiprocessing.active_children()):
        await asyncio.sleep(0.05)
    second = asyncio.create_task(pool.seal(others[0]))
    children[0].kill()
    with pytest.raises(TransportError, match="was killed") as refused:
        await asked
    assert refused.value.cause is Cause.NOT_KEPT
    for sealed in (await second, *[await pool.seal(order) for order in others[1:]]):
        assert sealed.path.is_file()


def test_a_process_that_is_killed_costs_its_own_bundle(tmp_path: Path) -> None:
    others = [spooled(tmp_path / name, [], {"group/one": b"good\n"}) for name in ("first", "second")]
    with seal_pool() as pool:
        asyncio.run(_seal_beside_one_that_dies(pool, stuck(tmp_path / "stuck"), *others))


def test_what_is_given_up_ends_with_its_process(tmp_path: Path) -> None:
    async def give_up(pool: SealPool) -> None:
        asked = asyncio.create_task(pool.seal(stuck(tmp_path / "stuck")))
        while not multiprocessing.active_children():
            await asyncio.sleep(0.05)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        while multiprocessing.active_children():
            await asyncio.sleep(0.05)

    with seal_pool() as pool:
        asyncio.run(give_up(pool))
