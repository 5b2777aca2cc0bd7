"""Visits that a run of a playbook makes: one node, one question, one record, whatever happens."""

import asyncio
import random
from collections.abc import Mapping

from sparkctl.app.playbook_driver import Came, Interrupted
from sparkctl.app.programs import program_of
from sparkctl.app.transports import Transports
from sparkctl.executor.limits import Limits
from sparkctl.executor.question import Question
from sparkctl.executor.stop import Stop
from sparkctl.executor.visit import Errand, visit
from sparkctl.model.inventory import Node
from sparkctl.model.journal import Result
from sparkctl.model.run import Failure, RunRecord
from sparkctl.model.vocabulary import REFUSALS, Cause, Elevation

_UNREACHABLE = frozenset({
    Cause.TIMEOUT, Cause.NAME_NOT_RESOLVED, Cause.CONNECTION_REFUSED, Cause.UNREACHABLE, Cause.CONNECTION_LOST,
    Cause.THROTTLED, Cause.JUMP_HOST, Cause.NOT_SSH, Cause.PROTOCOL_ERROR, Cause.INTERRUPTED, Cause.RUN_DEADLINE,
})  # fmt: skip
"""Causes that say nothing of the node but that it did not answer."""

_CUT_OFF = _UNREACHABLE | {
    Cause.EXEC_REFUSED, Cause.SIGNAL, Cause.EXIT_STATUS, Cause.NO_DOCUMENT, Cause.FRAME_DAMAGED,
}  # fmt: skip
"""Causes by which an answer may be lost, too, on a machine that goes down: what was begun there is still in doubt."""


class Visits:
    """Asks nodes of a run; at most `limits.concurrency` at the same time."""

    def __init__(self, run_id: str, nodes: Mapping[str, Node], transports: Transports, limits: Limits) -> None:
        self._run_id, self._nodes, self._transports, self._limits = run_id, nodes, transports, limits
        self._room = asyncio.Semaphore(limits.concurrency)
        self._stop = Stop()
        self._chance = random.Random()  # noqa: S311 - it spreads retries, and keeps no secret

    def node(self, node_id: str) -> Node:
        """The node of a name, as the inventory has it."""
        return self._nodes[node_id]

    async def ask(self, node_id: str, command: str, question: Question, *, as_root: bool = False) -> RunRecord:
        """Ask one node one thing with the program of a command; Interrupted when the run is stopped meanwhile."""
        node = self._nodes[node_id]
        if as_root:
            node = node.model_copy(update={"elevation": Elevation.ROOT})
        errand = Errand(self._run_id, program_of(command), self._limits, question)
        async with self._room:
            record = await visit(node, self._transports.for_node(node), errand, self._stop, self._chance)
        if record.failure is not None and record.failure.cause is Cause.INTERRUPTED:
            raise Interrupted  # a visit takes a cancellation for its end, and tells of it
        return record


def unreachable(failure: Failure) -> bool:
    """Whether a visit failed since the node did not answer, and not since of what it is or said."""
    return failure.cause in _UNREACHABLE


def cut_off(failure: Failure) -> bool:
    """Whether a visit failed in a way in which it may while the node goes down, so that it is worth asking again."""
    return failure.cause in _CUT_OFF


def came_of_failure(record: RunRecord) -> Came:
    """What a visit without an answer means for the step that made it."""
    failure = record.failure
    assert failure is not None  # noqa: S101 - only called for such
    if failure.cause in REFUSALS:
        result = Result.REFUSED
    else:
        result = Result.UNREACHABLE if unreachable(failure) else Result.UNKNOWN
    return Came(
        result=result,
        reason=failure.cause.value,
        summary=failure.message,
        duration_ms=record.duration_ms,
        texts=(record.model_dump_json(),),
    )
