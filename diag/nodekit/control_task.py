"""One phase of one act, done in a worker: what is looked at may hang, and costs its budget then and no more."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from diag.controllers.words import ControlPhase, ControlResult
from diag.nodekit import act
from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Argv, Asked, Controller, Refused, Scalar, Verdict
from diag.nodekit.judge import Document, attempt
from diag.nodekit.machine import Machine
from diag.nodekit.parameters import BadParameters, parsed, read_all
from diag.nodekit.printable import printable

BOOT_ID = "/proc/sys/kernel/random/boot_id"
NO_BOOT = "00000000-0000-0000-0000-000000000000"
"""For a precheck by somebody who does not know yet which boot runs: no boot has this id (RFC 9562, section 5.9)."""
BEFORE = "before"
"""The key, beside the parameters, under which a phase is told what the precheck observed."""
SETTLE_SECONDS = 2.0  # how long an act that may be quick is waited for
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.3
MAX_OBSERVED = 100


@dataclass(frozen=True)
class ControlTask:
    """A task for a worker: `text` is the JSON that was given, `seconds` bound the phase."""

    name: str
    controller: Controller
    phase: str
    act_id: str
    fence: int
    boot_id: str
    text: str
    seconds: float

    def judge(self, machine: Machine) -> tuple[list[Document], list[str]]:
        """The one document of the phase; whatever it raises becomes a result with a reason."""
        if not isinstance(machine, ActingMachine):
            raise TypeError("a controller needs a machine that may be changed")
        found, trouble = attempt(lambda: self._done(machine))
        if found is not None:
            return [found], []
        if trouble is None:
            return self.unjudged("parse_error", "the phase said nothing"), []
        document = self._document(ControlResult.UNKNOWN, trouble.summary, reason=trouble.reason or "not_applicable")
        return [document], [trouble.bug] if trouble.bug else []

    def unjudged(self, reason: str, summary: str) -> list[Document]:
        """Unknown, for when the phase did not come back."""
        return [self._document(ControlResult.UNKNOWN, summary, reason=reason)]

    def _done(self, machine: ActingMachine) -> Document:
        try:
            asked = self._asked()
            return getattr(self, f"_{self.phase}")(machine, asked)  # type: ignore[no-any-return]
        except BadParameters as bad:
            return self._document(ControlResult.REFUSED, str(bad), reason="bad_parameters")
        except Refused as no:
            return self._document(ControlResult.REFUSED, str(no), reason=no.reason, observed=no.seen)

    def _asked(self) -> Asked:
        given = parsed(self.text)
        before = given.pop(BEFORE, {})
        return Asked(read_all(self.controller.parameters, given), self.boot_id, _observed_before(before))

    def _precheck(self, machine: ActingMachine, asked: Asked) -> Document:
        if self.boot_id != NO_BOOT:
            self._require_this_boot(machine)
        verdict = self.controller.precheck(machine, asked)
        return self._of(verdict, self.controller.argv(replace(asked, before=verdict.observed)))

    def _postcheck(self, machine: ActingMachine, asked: Asked) -> Document:
        return self._of(self.controller.postcheck(machine, asked), ())

    def _observe(self, machine: ActingMachine, asked: Asked) -> Document:  # noqa: ARG002 - as every phase
        if _boot_id(machine) != self.boot_id:
            words = "this boot knows of no such act: the machine has started anew since"
            return self._document(ControlResult.ABSENT, words, reason="other_boot")
        return self._of_act(act.observe(machine, self.act_id), ())

    def _apply(self, machine: ActingMachine, asked: Asked) -> Document:
        self._require_rights(machine)
        there = self._already(machine)
        if there is not None:
            return there
        verdict = self.controller.precheck(machine, asked)
        argv = self.controller.argv(replace(asked, before=verdict.observed))
        observed = {"observed": _observed(verdict.observed)}
        if verdict.result == ControlResult.HOLDS or not argv:
            return self._document(ControlResult.DONE, f"there is nothing to do: {verdict.summary}") | observed
        return self._start(machine, argv) | observed

    def _undo(self, machine: ActingMachine, asked: Asked) -> Document:
        if self.controller.undo is None:
            raise Refused("no_undo", self.controller.no_undo)
        self._require_rights(machine)
        if self.controller.needs_before and not asked.before:
            raise Refused("before_unknown", f"to undo it one must know how it was: give `{BEFORE}`")
        argv = self.controller.undo(asked)
        if not argv:
            return self._document(ControlResult.DONE, "there is nothing to take back")
        return self._already(machine) or self._start(machine, argv)

    def _already(self, machine: ActingMachine) -> Document | None:
        """What became of this very act, where this boot knows of it: nothing is run twice."""
        self._require_this_boot(machine)
        state = act.observe(machine, self.act_id)
        return None if state.result == ControlResult.ABSENT else self._of_act(state, ())

    def _start(self, machine: ActingMachine, argv: Argv) -> Document:
        wanted = act.Act(
            self.act_id, self.fence, self.boot_id, f"{self.name} {self.phase}", argv, self.controller.longest_s,
            self.controller.environment,
        )  # fmt: skip
        complaint = act.start(machine, wanted)
        state = act.observe(machine, self.act_id)
        if state.result == ControlResult.ABSENT:
            raise Refused("not_started", f"systemd did not start it: {complaint or 'it knows of no such unit'}")
        give_up, pause = time.monotonic() + min(SETTLE_SECONDS, self.seconds / 3), FIRST_PAUSE
        while self.controller.settles and state.result == ControlResult.RUNNING and time.monotonic() < give_up:
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            state = act.observe(machine, self.act_id)
        return self._of_act(state, argv)

    def _require_rights(self, machine: ActingMachine) -> None:
        if not machine.is_root:
            raise Refused("not_permitted", "changing a node takes root: set `elevation: root` for it")

    def _require_this_boot(self, machine: ActingMachine) -> None:
        running = _boot_id(machine)
        if running != self.boot_id:
            seen = {"boot_id": running}
            raise Refused("other_boot", f"the boot that runs is {running}, not {self.boot_id}", seen)

    def _of(self, verdict: Verdict, argv: Argv) -> Document:
        return self._document(
            verdict.result, verdict.summary, reason=verdict.reason, observed=verdict.observed, argv=argv
        )

    def _of_act(self, state: act.State, argv: Argv) -> Document:
        going = state.result == ControlResult.RUNNING and self.phase != ControlPhase.OBSERVE
        document = self._document(
            ControlResult.STARTED if going else state.result, state.summary, reason=state.reason, argv=argv,
            unit=None if state.result == ControlResult.ABSENT else act.unit_of(self.act_id),
        )  # fmt: skip
        more = {
            "exit_status": state.exit_status, "duration_ms": state.duration_ms, "output_sha256": state.output_sha256,
        }  # fmt: skip
        return document | more | {"output": list(state.output)}

    def _document(
        self, result: str, summary: str, *, reason: str | None = None, observed: Mapping[str, Scalar] | None = None,
        argv: Argv = (), unit: str | None = None,
    ) -> Document:  # fmt: skip
        return {
            "controller": self.name, "phase": self.phase, "act": self.act_id, "result": result, "reason": reason,
            "summary": printable(summary), "argv": [printable(word) for word in argv[:200]], "unit": unit,
            "observed": _observed(observed or {}),
        }  # fmt: skip


def _boot_id(machine: ActingMachine) -> str:
    return machine.read(BOOT_ID)


def _observed(seen: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {
        printable(key, 120): printable(value) if isinstance(value, str) else value
        for key, value in list(seen.items())[:MAX_OBSERVED]
    }


def _observed_before(value: Any) -> dict[str, Scalar]:
    if not isinstance(value, dict) or len(value) > MAX_OBSERVED:
        raise BadParameters(f"{BEFORE}: must be an object of at most {MAX_OBSERVED} values")
    if not all(one is None or isinstance(one, (str, int)) for one in value.values()):
        raise BadParameters(f"{BEFORE}: holds something else than text, whole numbers, true and false")
    return dict(value)
