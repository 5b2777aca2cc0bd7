"""What all runs count of their outcomes: who answered, who did not and why, and what is alike on several nodes."""

from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from sparkctl.errors import ExitCode
from sparkctl.inventory.ranges import natural_key, natural_sorted
from sparkctl.model.fleet_report import FoldedFailure, NodeWarning, RunEnd, RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import Failure
from sparkctl.model.vocabulary import CUT_SHORT, REFUSALS, Cause, Stage

KeyT = TypeVar("KeyT")
WordsT = TypeVar("WordsT")


@dataclass(slots=True)
class Alike(Generic[WordsT]):
    """Nodes on which something came out alike, with the words of the first of them by name."""

    example_node: str
    words: WordsT
    nodes: list[str]

    @classmethod
    def note(cls, groups: "dict[KeyT, Alike[WordsT]]", key: KeyT, node_id: str, words: WordsT) -> None:
        """Add a node to the group of its kind."""
        same = groups.get(key)
        if same is None:
            groups[key] = cls(node_id, words, [node_id])
            return
        if natural_key(node_id) < natural_key(same.example_node):
            same.example_node, same.words = node_id, words
        same.nodes.append(node_id)


class Answers:
    """Who has answered so far; a kind of run adds what it makes of the answers."""

    def __init__(self) -> None:
        self.reported = self.unreported = 0
        self._simulated = False
        self._warnings: list[NodeWarning] = []
        self._failures: dict[tuple[Stage, Cause], Alike[Failure]] = {}
        self._received_bytes = 0

    def count(self, outcome: NodeOutcome) -> bool:
        """Count one outcome; whether the node reported."""
        self._warnings += [NodeWarning(node_id=outcome.node_id, message=warning) for warning in outcome.warnings]
        self._simulated |= outcome.simulated
        self._received_bytes += outcome.received_bytes
        failure = outcome.failure
        if failure is None:
            self.reported += 1
            return True
        self.unreported += 1
        Alike.note(self._failures, (failure.stage, failure.cause), outcome.node_id, failure)
        return False

    @property
    def refused(self) -> bool:
        """Whether a safety rule kept us from a node."""
        return any(cause in REFUSALS for _, cause in self._failures)

    def failures(self) -> list[FoldedFailure]:
        """The ways of not reporting, the most widespread first."""
        folded = [_folded_failure(alike) for alike in self._failures.values()]
        return sorted(folded, key=lambda one: (-len(one.nodes), one.stage, one.cause))

    def told(self, start: RunStart, end: RunEnd, code: ExitCode) -> dict[str, Any]:
        """The fields that the reports of all runs have."""
        return asdict(start) | {
            "finished_at": end.finished_at,
            "duration_ms": end.duration_ms,
            "cost": end.cost,
            "reported": self.reported,
            "unreported": self.unreported,
            "interrupted": any(cause in CUT_SHORT for _, cause in self._failures),
            "simulated": self._simulated,
            "failures": self.failures(),
            "warnings": sorted(self._warnings, key=lambda warning: warning.node_id),
            "received_bytes": self._received_bytes,
            "exit_code": code,
            "exit_name": code.name.lower(),
        }


def _folded_failure(alike: Alike[Failure]) -> FoldedFailure:
    return FoldedFailure(
        stage=alike.words.stage,
        cause=alike.words.cause,
        nodes=natural_sorted(alike.nodes),
        example=alike.words.message,
        example_node=alike.example_node,
        hint=alike.words.hint,
    )
