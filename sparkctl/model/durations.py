"""Durations as people read them."""


def told_seconds(seconds: float) -> str:
    """Seconds in words, with at most one decimal: `10 s`, `2.3 s`."""
    return f"{seconds:.1f}".removesuffix(".0") + " s"
