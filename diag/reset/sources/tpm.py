"""What the TPM counts: facts for a bastion that compares visits, and no evidence of any boot.

Its clock and its counters outlive every reset, and no clock of the day can set them (TPM 2.0 Library, part 1, chapter
on timing components). Which resets of a GB10 they count was never measured here, so that they found no claim.
"""

from __future__ import annotations

import re

from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Origin, UnknownReason
from diag.reset.evidence import Report, excerpt
from diag.reset.scope import Scope
from diag.reset.words import Source, SourceState

READ_CLOCK = ("/usr/bin/tpm2_readclock",)
SECONDS = 4.0
ELEVATED = (READ_CLOCK,)
FOLDER = "/sys/class/tpm"
MAX_COUNT, MAX_CLOCK_MS = 2**32 - 1, 2**53 - 1  # the clock has 64 bits, of which JSON carries fewer
LINE = re.compile(r"^\s*(clock|reset_count|restart_count|safe):[ \t]*(\w{1,20})[ \t]*$", re.MULTILINE)
KEYS = ("tpm_reset_count", "tpm_restart_count", "tpm_clock_ms", "tpm_clock_safe")


def read(machine: Machine, scope: Scope) -> Report:  # noqa: ARG001 - as every source
    """Facts KEYS, those that it tells; the clock in milliseconds that the TPM had power.

    Raises PermissionError, MissingTool, Unevaluated; NotApplicable on a machine that has no TPM, OSError.
    """
    _require_tpm(machine)
    ran = machine.run(READ_CLOCK, seconds=SECONDS - 1, elevate=True)
    if ran.exit_status != 0:
        said = excerpt(one_line(ran.stderr or ran.stdout))
        raise Unevaluated(UnknownReason.IO_ERROR, f"tpm2_readclock ended with {ran.exit_status}: {said}")
    known = parse(ran.stdout)
    if not known:
        raise Unevaluated(UnknownReason.PRECONDITION, "tpm2_readclock printed no counters")
    missing = [key for key in KEYS if key not in known]
    detail = f"the TPM tells no {' and no '.join(missing)}" if missing else None
    return Report(Source.TPM, SourceState.PARTIAL if missing else SourceState.READ, detail, facts=known)


def parse(text: str) -> dict[str, int | bool]:
    """What `tpm2_readclock` printed, YAML as tpm2_readclock(1) defines it; a value that cannot be is left out."""
    said = dict(LINE.findall(text))
    told = {
        "tpm_reset_count": _whole(said.get("reset_count"), MAX_COUNT),
        "tpm_restart_count": _whole(said.get("restart_count"), MAX_COUNT),
        "tpm_clock_ms": _whole(said.get("clock"), MAX_CLOCK_MS),
        "tpm_clock_safe": {"yes": True, "no": False}.get(said.get("safe", "")),
    }
    return {key: value for key, value in told.items() if value is not None}


def _require_tpm(machine: Machine) -> None:
    if any(name.startswith("tpm") for name in machine.names(FOLDER)):
        return
    if machine.origin == Origin.TREE:  # it may just not have been collected
        raise FileNotFoundError(2, "No such folder", FOLDER)
    raise NotApplicable("the kernel drives no TPM")


def _whole(text: str | None, most: int) -> int | None:
    number = int(text) if text is not None and re.fullmatch(r"[0-9]+", text) else None
    return number if number is not None and number <= most else None
