"""What a program is asked on a node, and how its answer is read."""

from dataclasses import dataclass

from sparkctl.contract.decode import decode_bundle, decode_control, decode_facts, decode_health, decode_reset
from sparkctl.executor.answer import Decode


@dataclass(frozen=True, slots=True)
class Question:
    """`arguments` begin with the program's sub-command, where it has any.

    `facets` are those that must come back, `back` is the end of a boot that must: 0 for the newest, None for all.
    `asked` says in a word what this question asks beside others of its kind. `control` is the controller, the phase
    and the act that must come back.
    """

    arguments: tuple[str, ...]
    decode: Decode
    facets: tuple[str, ...] = ()
    back: int | None = 0
    asked: str = ""
    control: tuple[str, str, str] | None = None


HEALTH = Question(("health", "--level=L1"), decode_health)
"""How is it? The checks of level L1."""


def bring_evidence(budget: int, named: tuple[str, ...] = ()) -> Question:
    """Bring what an engineer will want to read: at most `budget` bytes, with the collectors that must be asked for."""
    words = ",".join(named)
    return Question(
        ("bundle", f"--budget={budget}", *((f"--with={words}",) if named else ())), decode_bundle, asked=words
    )


def what_is_it(facets: tuple[str, ...]) -> Question:
    """What is it? These facets."""
    named = ",".join(facets)
    return Question(("collect", f"--facets={named}"), decode_facts, facets, asked=named)


def control(arguments: tuple[str, ...], controller: str, phase: str, act: str) -> Question:
    """Do, or look at, one phase of one act of a controller."""
    return Question(arguments, decode_control, control=(controller, phase, act))


def why_did_it_go_down(back: int | None) -> Question:
    """How did a boot end? The newest that ended for 0, the one before it for 1; all for None."""
    which = "--all" if back is None else f"--boot={-back}"
    return Question((which,), decode_reset, back=back, asked=which.removeprefix("--"))


def back_of(asked: str) -> int | None:
    """The end that a question of `why_did_it_go_down` asked for, of its words."""
    return None if asked == "all" else -int(asked.removeprefix("boot="))
