"""Every closed list of words that crosses the wire; `diag/nodekit/vocabulary.py` is generated from this file."""

from enum import StrEnum


class Status(StrEnum):
    """What became of a check: three evaluated statuses, two that are not."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class UnknownReason(StrEnum):
    """Why a check could not be evaluated."""

    TIMEOUT = "timeout"
    PARSE_ERROR = "parse_error"
    IO_ERROR = "io_error"
    MISSING_TOOL = "missing_tool"
    NOT_PERMITTED = "not_permitted"
    PRECONDITION = "precondition"
    STALE = "stale"
    CLOCK_UNTRUSTED = "clock_untrusted"


class Severity(StrEnum):
    """How much an entry of `errors[]` matters to the document that carries it."""

    ERROR = "error"
    WARNING = "warning"


class Elevation(StrEnum):
    """With which rights a program ran: its own, sudo for an exact list of commands, or root."""

    NONE = "none"
    COMMANDS = "commands"
    ROOT = "root"


class Origin(StrEnum):
    """Where a program looked: a running machine, a saved tree of one, or a simulated machine."""

    LIVE = "live"
    TREE = "tree"
    SIMULATED = "simulated"


class TakenStatus(StrEnum):
    """Whether an entry of a bundle was brought: whole, in part, proven absent, or not, for a reason."""

    COLLECTED = "collected"
    PARTIAL = "partial"
    ABSENT = "absent"
    MISSING = "missing"


class Comparison(StrEnum):
    """How a value is held against a threshold for the check to trip."""

    AT_LEAST = "ge"
    AT_MOST = "le"
    ABOVE = "gt"
    BELOW = "lt"
    EQUAL = "eq"
    NOT_EQUAL = "ne"


class Outcome(StrEnum):
    """Whether a selected node answered with a document that we can stand behind."""

    REPORTED = "reported"
    UNREPORTED = "unreported"


class Stage(StrEnum):
    """How far a visit to a node came."""

    SCHEDULE = "schedule"
    CONNECT = "connect"
    HOST_KEY = "host_key"
    AUTHENTICATE = "authenticate"
    RUN = "run"
    DECODE = "decode"
    SEAL = "seal"


class Cause(StrEnum):
    """Why a visit to a node ended without a result; each belongs to the stages named beside it."""

    INTERRUPTED = "interrupted"  # any: the operator stopped the run
    RUN_DEADLINE = "run_deadline"  # any: the deadline of the whole run
    TIMEOUT = "timeout"  # any: the deadline of the stage or of the node
    INTERNAL = "internal"  # any: a bug of ours, reported as such

    NAME_NOT_RESOLVED = "name_not_resolved"  # connect
    CONNECTION_REFUSED = "connection_refused"  # connect
    UNREACHABLE = "unreachable"  # connect
    CONNECTION_LOST = "connection_lost"  # connect to run: closed or reset by the far side
    NOT_SSH = "not_ssh"  # connect: something else answers on the port
    NO_COMMON_ALGORITHM = "no_common_algorithm"  # connect
    PROTOCOL_ERROR = "protocol_error"  # connect to run: the far side broke the SSH protocol
    THROTTLED = "throttled"  # connect: sshd is at MaxStartups, or PerSourcePenalties holds us off
    JUMP_HOST = "jump_host"  # connect, run: the way to the node broke, not the node
    BAD_SETTINGS = "bad_settings"  # connect: a key or file named in the inventory cannot be used

    HOST_KEY_UNKNOWN = "host_key_unknown"  # host_key: nothing is pinned
    HOST_KEY_CHANGED = "host_key_changed"  # host_key: another key than the pinned one
    HOST_KEY_REVOKED = "host_key_revoked"  # host_key

    ACCESS_DENIED = "access_denied"  # authenticate
    NO_CREDENTIALS = "no_credentials"  # authenticate: neither key nor agent has anything to offer

    EXEC_REFUSED = "exec_refused"  # run: the server opened no session or refused the command
    NO_SHELL = "no_shell"  # run: the login shell runs no commands
    PYTHON_MISSING = "python_missing"  # run
    PYTHON_TOO_OLD = "python_too_old"  # run
    PROGRAM_DAMAGED = "program_damaged"  # run: the program that arrived is not the one that was sent
    SUDO_REFUSED = "sudo_refused"  # run: `sudo -n` wanted a password or a rule
    STDOUT_LIMIT = "stdout_limit"  # run
    STDERR_LIMIT = "stderr_limit"  # run
    EXIT_STATUS = "exit_status"  # run: the program ended badly and said nothing
    SIGNAL = "signal"  # run: the program was killed

    NO_DOCUMENT = "no_document"  # decode
    FRAME_DAMAGED = "frame_damaged"  # decode: length or digest do not match
    NOT_UTF8 = "not_utf8"  # decode
    NOT_JSON = "not_json"  # decode
    DUPLICATE_KEY = "duplicate_key"  # decode
    NOT_A_NUMBER = "not_a_number"  # decode: NaN or infinity
    TOO_DEEP = "too_deep"  # decode
    TOO_LARGE = "too_large"  # decode
    SCHEMA_VIOLATION = "schema_violation"  # decode
    WRONG_PROGRAM = "wrong_program"  # decode: the document names another program or another answer
    INCOMPLETE = "incomplete"  # decode: planned checks are missing, or the roll-up contradicts the findings
    PROGRAM_FAILED = "program_failed"  # decode: a whole document with `ok` false
    IDENTITY_MISMATCH = "identity_mismatch"  # decode: another serial than the enrolled one

    RUN_SIZE = "run_size"  # schedule: the bundles of the run have the size that they may have together
    NOT_KEPT = "not_kept"  # run, seal: the bastion could not write what came
    NOT_SEALED = "not_sealed"  # seal: something was left in it that must not leave


REFUSALS = frozenset({Cause.HOST_KEY_UNKNOWN, Cause.HOST_KEY_CHANGED, Cause.HOST_KEY_REVOKED, Cause.IDENTITY_MISMATCH})
"""Causes by which we refused a node, not it us."""

CUT_SHORT = frozenset({Cause.INTERRUPTED, Cause.RUN_DEADLINE, Cause.RUN_SIZE})
"""Causes by which a run ended before a node could answer."""
