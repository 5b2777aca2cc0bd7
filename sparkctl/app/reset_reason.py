"""Why did it go down? Asked of nodes over SSH, or of a saved tree by the same program, run here."""

import asyncio
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from sparkctl.app.programs import program_of
from sparkctl.app.resume import asked_of
from sparkctl.app.run import Asked, RunRequest, run_fleet
from sparkctl.app.ups_log import read_outages
from sparkctl.contract.decode import Expected, decode_reset
from sparkctl.errors import ContractError, ExitCode, SparkctlError, StoreError, UsageError
from sparkctl.executor.answer import read_answer
from sparkctl.executor.limits import Limits
from sparkctl.executor.question import back_of, why_did_it_go_down
from sparkctl.inventory.load import load_fleet
from sparkctl.model.contacts import Contacts
from sparkctl.model.inventory import Node
from sparkctl.model.printable import printable
from sparkctl.model.reset import ResetEnvelope
from sparkctl.model.reset_words import ANY
from sparkctl.model.vocabulary import Cause, Elevation, Origin
from sparkctl.probes import stage_one
from sparkctl.probes.program import Program
from sparkctl.report.outputs import SweepOutput
from sparkctl.report.reset import ResetTally
from sparkctl.store.entries import RunKind
from sparkctl.store.store import Store
from sparkctl.transport.bundle import BundleSession
from sparkctl.transport.seam import Command, Ended, TransportError

COMMAND = "reset-reason"
DOCUMENT_BYTES = 64 * 1024
"""The limit of a document; a claim with its proof takes some five thousand bytes."""


_LIMITS = Limits(document_bytes=DOCUMENT_BYTES)


@dataclass(frozen=True, slots=True)
class Ends:
    """The end of a boot that is asked for: 0 for the newest, 1 for the one before it, None for all."""

    back: int | None = 0


class UnjudgedTree(SparkctlError):
    """The program came to no answer on a tree."""

    exit_code = ExitCode.UNJUDGED


def reset_reason(
    request: RunRequest, ends: Ends | None, output: SweepOutput, *, ups_log: Path | None = None
) -> ExitCode:
    """Ask the selected nodes how boots ended: those named, else as the run to take up did, else the newest.

    `ups_log` is the log of the UPS that feeds them.

    Raises as `run_fleet` does.
    """
    if ends is None:
        ends = _ends_of(request, request.resume) if request.resume else Ends()
    question = why_did_it_go_down(ends.back)
    request = replace(request, limits=replace(request.limits, document_bytes=DOCUMENT_BYTES))
    outages = read_outages(ups_log) if ups_log else []
    nodes = load_fleet(request.places.fleet).nodes
    groups = {node.node_id: node.power_group for node in nodes if node.power_group}
    tally = ResetTally(question.asked, _ledger(request.places.state, nodes), groups, outages)
    return run_fleet(request, Asked(RunKind.RESET, program_of(COMMAND), question, tally), output)


def _ledger(state: Path, nodes: list[Node]) -> dict[str, list[Contacts]]:
    """The contacts before this run; none where there is no store yet."""
    try:
        with Store.open(state, create=False) as store:
            return store.contacts([node.node_id for node in nodes])
    except StoreError:
        return {}


def _ends_of(request: RunRequest, resume: str) -> Ends:
    with Store.open(request.places.state, create=False) as store:
        return Ends(back_of(asked_of(store, resume, RunKind.RESET)))


def answer_of_tree(root: Path, *, every: bool = False, back: int = 0) -> ResetEnvelope:
    """What the node program says of a saved tree: of the end `back`, or of `every` one.

    Raises UsageError for a folder that cannot be read, UnjudgedTree where the program did not come to its end.
    """
    _require_readable(root)
    question, limits, nonce = why_did_it_go_down(None if every else back), _LIMITS, secrets.token_hex(16)
    program = program_of(COMMAND)
    expected = Expected(
        limit=limits.document_bytes,
        program_sha256=program.sha256,
        elevation=Elevation.NONE,
        origin=Origin.TREE,
        back=question.back,
    )
    try:
        ended = asyncio.run(_run_over(root, program, nonce, question.arguments, limits))
        answer = read_answer(ended, nonce, expected, _decode)
    except TransportError as error:
        raise _explained(root, error) from error
    assert isinstance(answer.envelope, ResetEnvelope)  # noqa: S101 - `_decode` makes nothing else
    return answer.envelope


def exit_code_of(envelope: ResetEnvelope) -> ExitCode:
    """OK when it is claimed of every end how it came about."""
    transitions = envelope.data.transitions if envelope.data else []
    told = bool(transitions) and all(one.claims.termination != ANY for one in transitions)
    return ExitCode.OK if told else ExitCode.UNJUDGED


def _require_readable(root: Path) -> None:
    try:
        with os.scandir(root) as entries:
            next(entries, None)
    except OSError as error:
        raise UsageError(
            f"the tree {root} cannot be read: {error.strerror}", hint="name a folder that holds proc, var, sys or cmd"
        ) from error
    except ValueError as error:
        raise UsageError(f"{printable(str(root))} is no name of a folder") from error


async def _run_over(root: Path, program: Program, nonce: str, arguments: tuple[str, ...], limits: Limits) -> Ended:
    """Run the program as on a node, in a child process and under the same limits."""
    bounds = (f"--seconds={limits.program_s:g}", f"--bytes={limits.document_bytes}")
    command = Command(
        argv=stage_one.argv(program, nonce, (*arguments, *bounds)),
        stdin=program.packed,
        stdout_limit=limits.document_bytes + limits.noise_bytes,
        stderr_limit=limits.stderr_bytes,
    )
    return await BundleSession(root).execute(command, limits.deadlines.run_s)


def _decode(document: bytes, expected: Expected) -> ResetEnvelope:
    """A tree may be that of a simulated machine, which it says itself."""
    try:
        return decode_reset(document, expected)
    except ContractError as error:
        if error.cause != Cause.WRONG_PROGRAM:
            raise
        return decode_reset(document, replace(expected, origin=Origin.SIMULATED))


def _explained(root: Path, error: TransportError) -> SparkctlError:
    """The program refused the tree, did not come to its end, or answered what it may not: then the bug is ours."""
    if error.cause is Cause.EXIT_STATUS:
        return UsageError(f"the tree {root} cannot be judged: {error.message}")
    if error.cause in (Cause.TIMEOUT, Cause.SIGNAL):
        return UnjudgedTree(f"the tree {root} was not judged: {error.message}")
    return SparkctlError(f"the program's answer on the tree {root} is not one of ours: {error.message}")
