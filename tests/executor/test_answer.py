"""Every way in which a program can end has its own cause."""

import hashlib
import json

import pytest

from sparkctl.contract.decode import Expected, decode_health
from sparkctl.contract.frame import FRAME_MAGIC
from sparkctl.executor.answer import read_answer
from sparkctl.executor.hints import HINTS
from sparkctl.model.vocabulary import Cause, Elevation, Origin, Stage
from sparkctl.probes.program import Program
from sparkctl.probes.stage_one import MAGIC
from sparkctl.transport.seam import Ended, TransportError
from tests.support.envelopes import envelope

NONCE = "ab" * 16
PROGRAM = Program("spark_diagctl", b"the program", {"disk.space": True})
EXPECTED = Expected(262144, PROGRAM.sha256, Elevation.NONE, Origin.LIVE, PROGRAM.checks)


def framed(document: bytes) -> bytes:
    return f"{FRAME_MAGIC} {NONCE} {len(document)} {hashlib.sha256(document).hexdigest()}\n".encode() + document + b"\n"


def good_document() -> bytes:
    return json.dumps(envelope(program_sha256=PROGRAM.sha256)).encode()


def ended(stdout: bytes = b"", stderr: bytes = b"", status: int | None = 0, signal: str | None = None) -> Ended:
    return Ended(status, signal, stdout, stderr)


def test_a_document_among_banners() -> None:
    banner = b"\x1b[32mWelcome to NVIDIA DGX Spark\x1b[0m\n"
    answer = read_answer(ended(banner + framed(good_document())), NONCE, EXPECTED, decode_health)
    assert answer.envelope.ok
    assert answer.noise_bytes == len(banner)


@pytest.mark.parametrize(
    ("end", "stage", "cause"),
    [
        (ended(status=None, signal="KILL"), Stage.RUN, Cause.SIGNAL),
        (ended(f"{MAGIC} {NONCE} python-too-old 3.8.10\n".encode(), status=96), Stage.RUN, Cause.PYTHON_TOO_OLD),
        (ended(f"{MAGIC} {NONCE} program-damaged {'0' * 64}\n".encode(), status=97), Stage.RUN, Cause.PROGRAM_DAMAGED),
        (ended(stderr=b"bash: python3: command not found\n", status=127), Stage.RUN, Cause.PYTHON_MISSING),
        (ended(stderr=b"fish: Unknown command: python3\n", status=127), Stage.RUN, Cause.PYTHON_MISSING),
        (ended(stderr=b"python3: Command not found.\n", status=1), Stage.RUN, Cause.PYTHON_MISSING),
        (ended(b"This account is currently not available.\n", status=1), Stage.RUN, Cause.NO_SHELL),
        (ended(stderr=b"sudo: a password is required\n", status=1), Stage.RUN, Cause.SUDO_REFUSED),
        (ended(status=1), Stage.RUN, Cause.EXIT_STATUS),
        (ended(framed(good_document()), status=1), Stage.RUN, Cause.EXIT_STATUS),
        (ended(b"hello\n"), Stage.DECODE, Cause.NO_DOCUMENT),
        (ended(framed(good_document())[:-20]), Stage.DECODE, Cause.FRAME_DAMAGED),
        (ended(framed(b'{"ok":1,"ok":1}')), Stage.DECODE, Cause.DUPLICATE_KEY),
        (ended(framed(b"[NaN]")), Stage.DECODE, Cause.NOT_A_NUMBER),
        (ended(framed(b"[" * 10_000)), Stage.DECODE, Cause.TOO_DEEP),
        (ended(framed(b"\xff\xfe")), Stage.DECODE, Cause.NOT_UTF8),
        (ended(framed(b"{}")), Stage.DECODE, Cause.SCHEMA_VIOLATION),
    ],
)
def test_bad_ends(end: Ended, stage: Stage, cause: Cause) -> None:
    with pytest.raises(TransportError) as failed:
        read_answer(end, NONCE, EXPECTED, decode_health)
    assert (failed.value.stage, failed.value.cause) == (stage, cause)
    assert not failed.value.retryable


def test_what_a_node_says_is_quoted_without_its_escapes() -> None:
    with pytest.raises(TransportError, match=r'it said "\\u001b\[2Jgotcha"'):
        read_answer(ended(stderr=b"\x1b[2Jgotcha\n", status=1), NONCE, EXPECTED, decode_health)


def test_a_flood_is_quoted_in_short() -> None:
    with pytest.raises(TransportError) as failed:
        read_answer(ended(stderr=b"x" * 60_000, status=1), NONCE, EXPECTED, decode_health)
    assert len(failed.value.message) < 300


def test_every_cause_has_a_next_step() -> None:
    assert set(HINTS) == set(Cause)
