"""Durations as people read them."""

import asyncio

import pytest

from sparkctl.model.durations import told_seconds
from sparkctl.transport.seam import Deadlines, TransportError
from sparkctl.transport.stages import StageClock


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (7 / 3, "2.3 s"),
        (10, "10 s"),
        (10.0, "10 s"),
        (2.96, "3 s"),
        (0.18, "0.2 s"),
        (86400.0, "86400 s"),
        (1e6, "1000000 s"),
    ],
)
def test_seconds_have_at_most_one_decimal(seconds: float, words: str) -> None:
    assert told_seconds(seconds) == words


def test_a_stage_tells_its_share_of_the_time_in_short() -> None:
    async def wait() -> None:
        await StageClock(Deadlines(0.7 / 3, 1, 1, 1)).run(asyncio.Event().wait())

    with pytest.raises(TransportError) as caught:
        asyncio.run(wait())
    assert caught.value.message == "no answer within 0.2 s while connecting"
