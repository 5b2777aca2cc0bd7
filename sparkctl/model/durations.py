"""Durations as people read them."""


def told_seconds(seconds: float) -> str:
    """Seconds in words, with at most one decimal: `10 s`, `2.3 s`."""
    return f"{seconds:.1f}".removesuffix(".0") + " s"


def told_age(seconds: float) -> str:
    """A length of time in its largest whole unit of which there are two or more: `90 s`, `45 min`, `36 h`, `3 d`."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"
