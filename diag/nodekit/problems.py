"""Why a check cannot be evaluated: each exception stands for one reason of the vocabulary."""

from __future__ import annotations

from diag.nodekit.vocabulary import UnknownReason


class MissingTool(Exception):
    """A command is not installed on the node."""

    def __init__(self, tool: str) -> None:
        super().__init__(f"{tool} is not installed")
        self.tool = tool


class Unevaluated(Exception):
    """A check saw that it cannot judge; carries the reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NotApplicable(Exception):
    """The thing a check judges is proven absent on this node."""


def reason_for(problem: BaseException) -> str:
    """The reason of an unknown finding for what an observation raised."""
    if isinstance(problem, Unevaluated):
        return problem.reason
    if isinstance(problem, MissingTool):
        return UnknownReason.MISSING_TOOL
    if isinstance(problem, PermissionError):
        return UnknownReason.NOT_PERMITTED
    if isinstance(problem, TimeoutError):
        return UnknownReason.TIMEOUT
    if isinstance(problem, OSError):
        return UnknownReason.IO_ERROR
    return UnknownReason.PARSE_ERROR


def words_of(problem: Exception) -> str:
    """A problem in words, with the path it met where it met one."""
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.strerror}: {problem.filename}" if problem.filename else problem.strerror
    return str(problem) or type(problem).__name__
