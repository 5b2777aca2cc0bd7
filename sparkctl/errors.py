"""What can go wrong on the bastion, each kind with the exit code that `docs/exit-codes.md` promises."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command; their names are part of the contract."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNJUDGED = 3
    REFUSED = 4
    IN_DOUBT = 5
    SINK_FAILED = 69
    INTERNAL = 70
    BUSY = 75


class SparkctlError(Exception):
    """An error that an operator can act on: one sentence of what, and one of what to do next."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SparkctlError):
    """A wrong command line or an unreadable file; the message names file, line and key where there are any."""

    exit_code = ExitCode.USAGE


class RefusedError(SparkctlError):
    """A safety rule stopped the command."""

    exit_code = ExitCode.REFUSED


class BusyError(SparkctlError):
    """Another run holds the lock."""

    exit_code = ExitCode.BUSY


class StoreError(SparkctlError):
    """The store cannot be opened, read or written."""

    exit_code = ExitCode.USAGE


class ContractError(SparkctlError):
    """Bytes that should have been one of our documents are not; `cause` is a stable code."""

    def __init__(self, cause: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.cause = cause
