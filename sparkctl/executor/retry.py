"""How long to wait before connecting again: exponential backoff with full jitter."""

import random

BASE_S = 0.3
CEILING_S = 5.0


def pause_before(attempt: int, chance: random.Random) -> float:
    """Seconds to wait before the given attempt (the second is 2), between 0 and min(5, 0.3 * 2**(attempt - 1))."""
    return chance.uniform(0, min(CEILING_S, BASE_S * 2 ** (attempt - 1)))
