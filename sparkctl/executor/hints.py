"""What an operator can do about each way of not reporting."""

from sparkctl.model.vocabulary import Cause

_ALTERED = (
    Cause.PROGRAM_DAMAGED,
    Cause.FRAME_DAMAGED,
    Cause.NOT_UTF8,
    Cause.NOT_JSON,
    Cause.DUPLICATE_KEY,
    Cause.NOT_A_NUMBER,
    Cause.TOO_DEEP,
    Cause.TOO_LARGE,
    Cause.SCHEMA_VIOLATION,
    Cause.WRONG_PROGRAM,
    Cause.INCOMPLETE,
)

HINTS: dict[Cause, str] = {
    Cause.NAME_NOT_RESOLVED: "check the node's name or give its address as ssh.host",
    Cause.CONNECTION_REFUSED: "the machine answers but sshd does not: check ssh.socket and the port",
    Cause.UNREACHABLE: "check power, cable and route to the node",
    Cause.NOT_SSH: "something else listens there: check ssh.host and ssh.port",
    Cause.NO_COMMON_ALGORITHM: "update OpenSSH on the node, or reach it with transport: paramiko",
    Cause.JUMP_HOST: "the way to the node is broken: check the jump host first",
    Cause.BAD_SETTINGS: "correct the settings named above in the inventory or in ssh_config",
    Cause.HOST_KEY_UNKNOWN: "compare the fingerprint at the machine, then: sparkctl inventory pin NODE",
    Cause.HOST_KEY_CHANGED: "reinstalled, swapped or attacked: compare the fingerprint at the machine, then pin it",
    Cause.HOST_KEY_REVOKED: "the key is marked as revoked: give the machine a new host key",
    Cause.ACCESS_DENIED: "check ssh.user and that the node has the public key in authorized_keys",
    Cause.NO_CREDENTIALS: "load a key into the agent or name one in ssh.identity_files",
    Cause.NO_SHELL: "give the account a login shell that runs commands",
    Cause.PYTHON_MISSING: "install python3 (3.10 or newer) on the node",
    Cause.PYTHON_TOO_OLD: "update the node to DGX OS 7, which ships Python 3.12",
    Cause.SUDO_REFUSED: "allow the command with the output of: sparkctl sudoers",
    Cause.STDOUT_LIMIT: "the node prints without end: look at what its login profile runs",
    Cause.STDERR_LIMIT: "the node prints without end: look at what its login profile runs",
    Cause.TIMEOUT: "the node hangs or is too slow: try ssh by hand, and raise --timeout if it is only slow",
    Cause.CONNECTION_LOST: "the node dropped the connection: rebooting, out of memory, or limited by MaxStartups",
    Cause.INTERRUPTED: "run the same command again for the nodes that are missing",
    Cause.IDENTITY_MISMATCH: "another machine answers under this name: find out which before you run anything on it",
    Cause.INTERNAL: "this is a bug in sparkctl: please report it with the message above",
    **dict.fromkeys(_ALTERED, "do not trust this node's answers until you know what altered them"),
}
