"""Backoff grows, is capped, and is spread."""

import random

from sparkctl.executor.retry import CEILING_S, pause_before


def test_pauses_grow_to_a_ceiling_and_are_spread() -> None:
    chance = random.Random(7)
    means = [sum(pause_before(attempt, chance) for _ in range(400)) / 400 for attempt in (2, 3, 4, 12)]
    assert means == sorted(means)
    assert all(0 <= pause_before(12, chance) <= CEILING_S for _ in range(400))
    assert len({pause_before(2, chance) for _ in range(50)}) == 50
