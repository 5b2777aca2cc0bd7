"""What a program's end means: a document that we can stand behind, or a failure of its own kind."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sparkctl.contract.decode import Expected
from sparkctl.contract.frame import unframe
from sparkctl.errors import ContractError
from sparkctl.model.base import MAX_TEXT
from sparkctl.model.printable import printable
from sparkctl.model.run import AnyEnvelope
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.probes.stage_one import complaint
from sparkctl.transport.seam import Ended, TransportError

NOT_FOUND = 127  # what shells answer for a command that does not exist
_NO_SHELL = re.compile(rb"account is (currently )?not available|nologin|no shell|not allowed to execute", re.IGNORECASE)
_NO_COMMAND = re.compile(rb"python3: (command )?not found|unknown command:? '?python3|Command not found", re.IGNORECASE)


Decode = Callable[[bytes, Expected], AnyEnvelope]


@dataclass(frozen=True)
class Answer:
    """A validated document and the number of bytes that the login printed around it."""

    envelope: AnyEnvelope
    noise_bytes: int


def read_answer(ended: Ended, nonce: str, expected: Expected, decode: Decode) -> Answer:
    """Turn the end of a program into an answer; raises TransportError at stage `run` or `decode`.

    `decode` makes an envelope of the document's bytes and raises ContractError for what it cannot stand behind.
    """
    _refuse_bad_end(ended, nonce)
    try:
        framed = unframe(ended.stdout, nonce)
        envelope = decode(framed.document, expected)
    except ContractError as error:
        if error.cause == Cause.NO_DOCUMENT:
            raise _explain_silence(ended) from error
        raise TransportError(Stage.DECODE, Cause(error.cause), printable(error.message, MAX_TEXT)) from error
    if ended.exit_status != 0:
        raise TransportError(
            Stage.RUN, Cause.EXIT_STATUS, f"the program printed a document but ended with {ended.exit_status}"
        )
    return Answer(envelope, framed.noise_bytes)


def _refuse_bad_end(ended: Ended, nonce: str) -> None:
    if ended.signal is not None:
        raise TransportError(Stage.RUN, Cause.SIGNAL, f"the program was killed by signal {printable(ended.signal, 40)}")
    said = complaint(ended.stdout, nonce)
    if said is None:
        return
    kind, detail = said
    if kind == "python-too-old":
        raise TransportError(
            Stage.RUN, Cause.PYTHON_TOO_OLD, f"the node's python3 is {detail}; 3.10 or newer is needed"
        )
    raise TransportError(Stage.RUN, Cause.PROGRAM_DAMAGED, f"the program arrived with the digest {detail}")


def _explain_silence(ended: Ended) -> TransportError:
    """Why there is no document, as far as the exit status and the words around it tell."""
    words = ended.stderr + b"\n" + ended.stdout
    quoted = _quote(words)
    if ended.stderr.startswith(b"sudo:"):
        return TransportError(Stage.RUN, Cause.SUDO_REFUSED, f"sudo refused: {quoted}")
    if ended.exit_status == NOT_FOUND or _NO_COMMAND.search(words):
        return TransportError(Stage.RUN, Cause.PYTHON_MISSING, f"the node has no python3: {quoted}")
    if _NO_SHELL.search(words):
        return TransportError(Stage.RUN, Cause.NO_SHELL, f"the login shell runs no commands: {quoted}")
    if ended.exit_status != 0:
        return TransportError(Stage.RUN, Cause.EXIT_STATUS, f"ended with exit status {ended.exit_status}: {quoted}")
    return TransportError(Stage.DECODE, Cause.NO_DOCUMENT, f"ended well but printed no document of this run: {quoted}")


def _quote(words: bytes) -> str:
    lines = [line.strip() for line in words.decode("utf-8", "replace").splitlines() if line.strip()]
    return f'it said "{printable(lines[0])}"' if lines else "it said nothing"
