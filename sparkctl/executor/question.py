"""What a program is asked on a node, and how its answer is read."""

from dataclasses import dataclass

from sparkctl.contract.decode import decode_facts, decode_health
from sparkctl.executor.answer import Decode


@dataclass(frozen=True, slots=True)
class Question:
    """`arguments` begin with the program's sub-command; `facets` are those that must come back."""

    arguments: tuple[str, ...]
    decode: Decode
    facets: tuple[str, ...] = ()


HEALTH = Question(("health", "--level=L1"), decode_health)
"""How is it? The checks of level L1."""


def what_is_it(facets: tuple[str, ...]) -> Question:
    """What is it? These facets."""
    return Question(("collect", f"--facets={','.join(facets)}"), decode_facts, facets)
