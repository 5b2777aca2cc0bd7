"""Words for what goes wrong on the way to a node, the same for every transport."""

import errno
import os
import socket
from pathlib import Path

from sparkctl.model.durations import told_seconds
from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import REFUSALS, Cause, Stage
from sparkctl.transport.greeting import Greeting
from sparkctl.transport.seam import TransportError

_CONNECT_FAILED = 2
_RETRYABLE = frozenset({Cause.CONNECTION_REFUSED, Cause.UNREACHABLE, Cause.TIMEOUT, Cause.CONNECTION_LOST})


def fault(stage: Stage, cause: Cause, message: str, hint: str | None = None) -> TransportError:
    """A TransportError; connecting again may help only before authentication, and only for causes that pass."""
    early = stage is Stage.CONNECT or (stage is Stage.HOST_KEY and cause is Cause.CONNECTION_LOST)
    return TransportError(stage, cause, message, hint=hint, retryable=early and cause in _RETRYABLE)


def bad_settings(message: str, hint: str | None = None) -> TransportError:
    """Something the inventory or ssh_config names cannot be used."""
    return TransportError(Stage.CONNECT, Cause.BAD_SETTINGS, message, hint=hint)


def unreadable(path: Path, reason: str) -> TransportError:
    """A named file cannot be used."""
    return bad_settings(f"{path}: {printable(reason)}", "correct the path in the inventory or in ssh_config")


def from_socket(error: OSError, host: str, port: int) -> TransportError:
    """What connecting a socket says, as a cause."""
    where = f"{host} port {port}"
    if isinstance(error, socket.gaierror):
        temporary = error.errno == socket.EAI_AGAIN
        return TransportError(
            Stage.CONNECT,
            Cause.NAME_NOT_RESOLVED,
            f"the name {host} does not resolve: {error.strerror}",
            hint="check the name in the inventory, or give the node an address: `ssh: {host: ...}`",
            retryable=temporary,
        )
    if isinstance(error, ConnectionRefusedError):
        return fault(
            Stage.CONNECT,
            Cause.CONNECTION_REFUSED,
            f"{where} refused the connection",
            "check that sshd runs on the node and that the port is right",
        )
    if error.errno in (errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE):
        return fault(Stage.CONNECT, Cause.CONNECTION_LOST, f"{where} closed the connection at once")
    reason = os.strerror(error.errno) if error.errno else printable(str(error) or "no answer")
    return fault(
        Stage.CONNECT,
        Cause.UNREACHABLE,
        f"{where} cannot be reached: {reason}",
        "check that the node is powered and the network path is open",
    )


# What sshd says in place of its version when it has no room (MaxStartups) or holds a grudge (PerSourcePenalties), and
# how long to leave it alone, in seconds. A penalty lasts at least as long as PerSourcePenalties' `min`, 15 s.
_THROTTLING = {b"Exceeded MaxStartups": ("MaxStartups", 1.0), b"Not allowed at this time": ("PerSourcePenalties", 15.0)}
_CLOSED_PAUSE_S = 1.0


def not_ssh(greeting: Greeting) -> TransportError:
    """What answers did not begin with an SSH version: something else, or an sshd that takes no more connections now."""
    said = printable(greeting.said.decode("utf-8", "backslashreplace").rstrip("\r"))
    for words, (setting, pause_s) in _THROTTLING.items():
        if greeting.said.startswith(words):
            return _throttled(said, setting, pause_s)
    return TransportError(
        Stage.CONNECT,
        Cause.NOT_SSH,
        f"what answers is not an SSH 2 server; it said {said!r}",
        hint="check the port of the node",
    )


def _throttled(said: str, setting: str, pause_s: float) -> TransportError:
    return TransportError(
        Stage.CONNECT,
        Cause.THROTTLED,
        f"sshd takes no more connections from here at the moment; it said {said!r}",
        hint=f"connect to fewer nodes at a time through this host, or raise {setting} in its sshd_config",
        retryable=True,
        pause_s=pause_s,
    )


def closed_unopened(greeting: Greeting) -> TransportError:
    """The connection was closed before key exchange. sshd may have had no room, but nothing proves it."""
    when = "after its version" if greeting.is_ssh else "before it said anything"
    error = lost(Stage.CONNECT, "")
    error.message += f" {when}"
    error.hint = "if more of them do, sshd has reached MaxStartups: connect to fewer nodes at a time through this host"
    error.pause_s = _CLOSED_PAUSE_S
    return error


def lost(stage: Stage, reason: str) -> TransportError:
    """The connection ended while it was being opened."""
    detail = f": {printable(reason)}" if reason else ""
    return fault(stage, Cause.CONNECTION_LOST, f"the connection was closed by the far side{detail}")


def denied(user: str, where: str, offered: int, remarks: list[str]) -> TransportError:
    """The node wants none of our keys, or we have none to offer."""
    aside = "; ".join(remarks) or None
    if offered == 0:
        return TransportError(
            Stage.AUTHENTICATE,
            Cause.NO_CREDENTIALS,
            f"there is no key to offer to {where} for user {user}",
            hint=aside or "name an identity file in the inventory, or start an agent that holds the key",
        )
    count = "1 key was" if offered == 1 else f"{offered} keys were"
    return TransportError(
        Stage.AUTHENTICATE,
        Cause.ACCESS_DENIED,
        f"{where} denied access to user {user}; {count} offered",
        hint=aside or "check the user, and that the node's authorized_keys holds the public key",
    )


def from_channel(code: int, reason: str, via: str, host: str, port: int) -> TransportError:
    """What a jump host says when it opens no way to the next host (RFC 4254, section 5.1).

    OpenSSH adds the words of the failed connect; paramiko passes on the code alone, and then it is `unreachable`.
    """
    said, where = printable(reason), f"{host} port {port}"
    if code != _CONNECT_FAILED:
        return TransportError(
            Stage.CONNECT,
            Cause.JUMP_HOST,
            f"jump host {via} does not forward to {where}: {said}",
            hint="allow TCP forwarding to the node in the sshd_config of the jump host",
        )
    cause, lowered = Cause.UNREACHABLE, reason.lower()
    if "refused" in lowered:
        cause = Cause.CONNECTION_REFUSED
    elif "resolution" in lowered or "name or service" in lowered:
        cause = Cause.NAME_NOT_RESOLVED
    return fault(Stage.CONNECT, cause, f"jump host {via} cannot reach {where}: {said}")


def through_jump(error: TransportError, label: str) -> TransportError:
    """A hop failed: not the node, but the way to it. A host key that we refused stays a refusal, with the hop named."""
    refused = error.cause in REFUSALS
    message = error.message if f"jump host {label}" in error.message else f"jump host {label}: {error.message}"
    return TransportError(
        error.stage if refused else Stage.CONNECT,
        error.cause if refused else Cause.JUMP_HOST,
        message,
        hint=error.hint,
        retryable=error.retryable,
        pause_s=error.pause_s,
    )


def jump_lost(stage: Stage, label: str) -> TransportError:
    """The connection to a jump host ended under the node's own; before the command, connecting again may help."""
    return TransportError(
        stage if stage is Stage.RUN else Stage.CONNECT,
        Cause.JUMP_HOST,
        f"the connection to jump host {label} was lost",
        hint="see why the jump host closed it: its sshd log, memory, and network",
        retryable=stage is not Stage.RUN,
    )


def timed_out(seconds: float) -> TransportError:
    """A command outlived its deadline."""
    return TransportError(Stage.RUN, Cause.TIMEOUT, f"the command did not end within {told_seconds(seconds)}")


def over_limit(cause: Cause, limit: int) -> TransportError:
    """A command printed more than it may; `cause` is stdout_limit or stderr_limit."""
    stream = "standard output" if cause is Cause.STDOUT_LIMIT else "standard error"
    return TransportError(Stage.RUN, cause, f"the command printed more than {limit} bytes on {stream}; it was cut off")


def lost_in_run(stdout: int) -> TransportError:
    """The connection ended before the exit status; what was printed so far is no result."""
    return TransportError(
        Stage.RUN,
        Cause.CONNECTION_LOST,
        f"the connection was lost before the command's exit status, after {stdout} bytes of output",
    )
