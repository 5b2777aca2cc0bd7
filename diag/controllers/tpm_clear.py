"""Clear the TPM: what an owner kept in it, sealed with it or proved by it, is gone for good."""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Argv, Asked, Controller, Refused, Verdict, holds, lacks, ready
from diag.nodekit.parameters import Text
from diag.nodekit.tpm import observe_tpm

DEVICE = "device:/dev/tpmrm0"
TCTI = r"device:/dev/tpm(rm)?\d{1,2}|swtpm:path=/[A-Za-z0-9._/-]{1,100}|swtpm:host=127\.0\.0\.1,port=\d{1,5}"
CLEAR = "/usr/bin/tpm2_clear"


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """It answers, it may be cleared, and the lockout authorisation that this takes is at hand."""
    state = observe_tpm(machine, _tcti(asked))
    if not state.left:
        return holds("nothing of an owner is in it", **state.seen)
    if state.flags["disableClear"]:
        raise Refused("clear_disabled", "clearing is disabled until the firmware allows it: clear it there", state.seen)
    if state.flags["inLockout"]:
        raise Refused("in_lockout", "too many wrong authorisations: it takes none for a while", state.seen)
    if state.flags["lockoutAuthSet"] and not asked.given["auth_file"]:
        words = "the lockout authorisation is set: name its file, or clear it in the firmware"
        raise Refused("lockout_auth_set", words, state.seen)
    return ready(f"it can be cleared: {state.left[0]}", **state.seen)


def _tcti(asked: Asked) -> str:
    return str(asked.given["tcti"] or DEVICE)


def argv(asked: Asked) -> Argv:
    """The one command: tpm2_clear(1) by the lockout hierarchy; no secret stands in it."""
    auth = (f"file:{asked.given['auth_file']}",) if asked.given["auth_file"] else ()
    return (CLEAR, f"--tcti={_tcti(asked)}", "--auth-hierarchy=l", *auth)


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """Nothing of an owner is left."""
    state = observe_tpm(machine, _tcti(asked))
    if state.left:
        return lacks("not_cleared", f"it is not cleared: {state.left[0]}", **state.seen)
    return holds("nothing of an owner is in it", **state.seen)


CONTROLLER = Controller(
    "Clear the TPM; what it sealed cannot be opened again",
    {
        "tcti": Text(f"how it is reached, as tpm2-tools have it ({DEVICE})", TCTI, required=False),
        "auth_file": Text("file with the lockout authorisation", r"/run/[A-Za-z0-9._/-]{1,100}", required=False),
    },
    precheck,
    argv,
    postcheck,
    longest_s=120,
    no_undo="the seeds that its keys were made of are gone",
)
