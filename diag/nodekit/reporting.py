"""Let an isolated tool report, and send the tar of what it wrote; see `isolated`."""

from __future__ import annotations

from diag.nodekit.command import Gathered
from diag.nodekit.isolated import CHATTER, NO_MEMORY, SUCCESS, TIMEOUT, Report, result_in
from diag.nodekit.jobs import Outlet
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine
from diag.nodekit.printable import printable
from diag.nodekit.problems import MissingTool
from diag.nodekit.vocabulary import TakenStatus, UnknownReason

MAX_WORDS = 200
MIB = 1024 * 1024


def send_report(machine: Machine, take: Report, outlet: Outlet) -> Document:
    """Send what the tool wrote, whole or as far as it came, and say which; a tool that is not there is missing."""
    if not machine.exists(take.tool[0]):
        return _missing(UnknownReason.MISSING_TOOL, f"{take.tool[0]} is not installed")
    try:
        ran = machine.gather(take.argv, seconds=take.longest, limit=take.limit + CHATTER, elevate=True)
    except MissingTool as absent:
        return _missing(UnknownReason.MISSING_TOOL, str(absent))
    except PermissionError:
        rule = f"sparkctl sudoers --with {take.name}={take.seconds:g} prints the rule"
        return _missing(UnknownReason.NOT_PERMITTED, f"{take.tool[0]} may not report as root here: {rule}")
    archive = take.archive_in(ran.stdout)
    cut = ran.cut or len(archive) > take.limit
    outlet.send(archive[: take.limit])
    why = _why_not_whole(take, ran, cut=cut)
    if why is None and archive:
        return {"status": TakenStatus.COLLECTED}
    reason, words = why or (UnknownReason.IO_ERROR, "the service ended well and printed no archive")
    facts: Document = {"reason": reason, "words": printable(words, MAX_WORDS)}
    if ran.exit_status:
        facts["exit_status"] = ran.exit_status
    return facts | {"status": TakenStatus.PARTIAL if archive else TakenStatus.MISSING}


def _missing(reason: str, words: str) -> Document:
    return {"status": TakenStatus.MISSING, "reason": reason, "words": words}


def _why_not_whole(take: Report, ran: Gathered, *, cut: bool) -> tuple[str, str] | None:
    """Reason and words, None where the tool came to a good end and all of it is here."""
    result, complaint = result_in(ran.stderr.decode("utf-8", "replace"))
    if result == TIMEOUT:
        return UnknownReason.TIMEOUT, f"{take.tool[0]} did not end within {take.seconds:g} s and was ended"
    if ran.timed_out:
        return UnknownReason.TIMEOUT, f"systemd did not end {take.unit} within {take.longest:g} s"
    if cut:
        return UnknownReason.PRECONDITION, f"what came after {take.limit // MIB} MiB is left out: it is over its limit"
    if result == NO_MEMORY:
        return (
            UnknownReason.PRECONDITION,
            f"{take.tool[0]} was ended: it needed more than {take.memory // MIB} MiB of memory",
        )
    if result == SUCCESS and ran.exit_status == 0:
        return None
    ended = f"its service ended with {result}" if result else f"it ended with {ran.exit_status}"
    return UnknownReason.IO_ERROR, f"{ended}: {complaint}" if complaint else ended
