"""Write blocks of known content over a drive that is about to be erased, so that what an erase left can be found."""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Argv, Asked, Controller, Refused, Verdict, holds, lacks, ready
from diag.nodekit.erasing import (
    DRIVE_PARAMETERS,
    markers,
    markers_seen,
    namespace_of,
    page_seen,
    require_drive,
    sanitize_page,
)
from diag.nodekit.marker_blocks import COUNT
from diag.nodekit.sanitize_log import FAILED, RUNNING
from diag.nodekit.source_text import program


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """It is the drive that is meant, nobody uses it, and no sanitise runs or failed."""
    _, seen = require_drive(machine, asked)
    page = sanitize_page(machine, asked)
    seen |= page_seen(page)
    if page.state in (RUNNING, FAILED):
        raise Refused("sanitize_running" if page.state == RUNNING else "sanitize_failed", _WHY[page.state], seen)
    found = markers(machine, asked)
    seen |= markers_seen(found)
    if found.found == COUNT:
        return holds(f"all {COUNT} markers read back", **seen)
    return ready(f"{COUNT} markers can be written; what stands there is lost", **seen)


_WHY = {RUNNING: "a sanitise runs", FAILED: "a sanitise of this drive failed: it is to be destroyed"}


def argv(asked: Asked) -> Argv:
    """The one command: our own few lines, since no tool makes such blocks."""
    return (*program("marker_blocks"), namespace_of(asked), str(asked.given["seed"]))


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """They all read back."""
    _, seen = require_drive(machine, asked)
    seen |= page_seen(sanitize_page(machine, asked))
    found = markers(machine, asked)
    seen |= markers_seen(found)
    if found.found != COUNT:
        return lacks("markers_absent", f"{found.found} of {COUNT} markers read back", **seen)
    return holds(f"all {COUNT} markers read back", **seen)


CONTROLLER = Controller(
    "Write markers over a drive that is to be erased; what stands there is lost",
    DRIVE_PARAMETERS,
    precheck,
    argv,
    postcheck,
    longest_s=300,
    no_undo="what stood there is lost",
)
