"""Erase a drive by one technique, and look what it says and what reads back afterwards.

A sanitise is started in its restricted mode (without AUSE): a drive on which it fails stays closed, since nothing but
destruction is left for it. Sources: NVM Express base specification 2.0, sections 5.24 (Sanitize), 5.14 (Format NVM),
figure 275 (SANICAP, FNA); nvme-sanitize(1), nvme-format(1).
"""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import THEN, Argv, Asked, Controller, Refused, Seen, Verdict, holds, lacks, ready
from diag.nodekit.erasing import (
    DRIVE_PARAMETERS,
    Identity,
    controller_of,
    markers,
    markers_seen,
    namespace_of,
    page_seen,
    require_drive,
    sanitize_page,
)
from diag.nodekit.marker_blocks import COUNT
from diag.nodekit.parameters import Text
from diag.nodekit.sanitize_log import FAILED, NVME, RUNNING, SUCCEEDED, SUCCEEDED_DEALLOCATED, Page
from diag.nodekit.source_text import program

SANACT = {"sanitize_crypto_erase": 4, "sanitize_block_erase": 2, "sanitize_overwrite": 3}
SANICAP_BIT = {"sanitize_crypto_erase": 0, "sanitize_block_erase": 1, "sanitize_overwrite": 2}
SES = {"format_crypto_erase": 2, "format_user_data_erase": 1}
FNA_CRYPTO = 0b100
STALL_SECONDS = 900


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """It is the drive that is meant, nobody uses it, it has the technique, and every marker stands on it."""
    found, seen = require_drive(machine, asked)
    page = sanitize_page(machine, asked)
    seen |= page_seen(page)
    technique = str(asked.given["technique"])
    if page.state == RUNNING:
        raise Refused("sanitize_running", "a sanitise runs already", seen)
    if page.state == FAILED:
        raise Refused("sanitize_failed", "a sanitise of this drive failed: it is to be destroyed", seen)
    if not _has(found, technique):
        raise Refused("unsupported", f"the drive does not say that it has {technique}", seen)
    standing = markers(machine, asked)
    seen |= markers_seen(standing)
    if standing.found != COUNT:
        words = f"{standing.found} of {COUNT} markers stand on it: what was never there cannot be missed"
        raise Refused("markers_absent", words, seen)
    return ready(f"{technique} can be started; all that stands on the drive is lost", **seen)


def _has(drive: Identity, technique: str) -> bool:
    if technique in SANICAP_BIT:
        return bool(drive.sanicap >> SANICAP_BIT[technique] & 1)
    return technique != "format_crypto_erase" or bool(drive.fna & FNA_CRYPTO)


def argv(asked: Asked) -> Argv:
    """The one command; a sanitise goes on in the drive when it has ended, and is waited for."""
    technique, controller = str(asked.given["technique"]), controller_of(asked)
    if technique in SES:
        return (NVME, "format", namespace_of(asked), f"--ses={SES[technique]}", "--force")
    started = (NVME, "sanitize", controller, f"--sanact={SANACT.get(technique, 'ACTION')}")
    stall = str(asked.given["stall"] or STALL_SECONDS)
    return (*started, THEN, *program("sanitize_log"), controller, stall)


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """The drive says that it is done, and no marker reads back."""
    _, seen = require_drive(machine, asked)
    page = sanitize_page(machine, asked)
    seen |= page_seen(page)
    technique = str(asked.given["technique"])
    if technique in SANACT:
        why = _not_done(page, SANACT[technique])
        if why is not None:
            reason, words = why
            return lacks(reason, words, **_with_markers(machine, asked, seen, page))
    found = markers(machine, asked)
    seen |= markers_seen(found)
    if found.found or found.unreadable:
        words = f"{found.found} of {COUNT} markers read back, {found.unreadable} do not read"
        return lacks("markers_found" if found.found else "unreadable", words, **seen)
    return holds(f"the drive is done, and none of {COUNT} markers reads back", **seen)


def _not_done(page: Page, action: int) -> tuple[str, str] | None:
    if page.state == RUNNING:
        return "running", f"it goes on, at {page.progress * 100 // 65536} %"
    if page.state not in (SUCCEEDED, SUCCEEDED_DEALLOCATED):
        return "sanitize_failed", f"the drive does not say that it succeeded (state {page.state})"
    if page.cdw10 & 7 != action:
        return "other_action", f"the drive tells of action {page.cdw10 & 7}, not {action}"
    return None


def _with_markers(machine: ActingMachine, asked: Asked, seen: Seen, page: Page) -> Seen:
    """The same with the markers, where the drive lets itself be read."""
    if page.state == RUNNING:
        return seen
    try:
        return seen | markers_seen(markers(machine, asked))
    except OSError:
        return seen


CONTROLLER = Controller(
    "Erase a drive by one technique; all that stands on it is lost",
    {
        **DRIVE_PARAMETERS,
        "technique": Text(f"how, the best first: {', '.join([*SANACT, *SES])}", "|".join([*SANACT, *SES])),
        "stall": Text("seconds without progress after which it is given up (900)", r"[1-9]\d{0,4}", required=False),
    },
    precheck,
    argv,
    postcheck,
    longest_s=86400,
    no_undo="what stood there is lost",
)
