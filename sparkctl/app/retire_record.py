"""Make the record of a sanitisation: what the journals of playbooks tell, and what only people know.

Whatever neither of them tells is null. An attempt of an earlier run counts: one that failed is not forgotten because
somebody plans again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sparkctl.app.retire_details import Details, Named
from sparkctl.app.retire_journal import MARKERS, SANITIZE, TPM, Answers, ToldAct, ToldRun, told_runs
from sparkctl.errors import RefusedError, UsageError
from sparkctl.lifecycle.erase_evidence import drive_of, erase_attempt, tpm_evidence
from sparkctl.model.control import ControlData, ControlPhase, ControlResult
from sparkctl.model.sanitisation import (
    Drive,
    EraseAttempt,
    Person,
    RecordRef,
    SanitisationRecord,
    Technique,
    TpmEvidence,
)
from sparkctl.store.store import Store

_MOST_DOCUMENTS = 190
_WORD = 120


def record_of(state: Path, node_id: str, run_id: str, details: Details) -> SanitisationRecord:
    """The record of a node as its run and those before it tell it, with what people know.

    Raises UsageError for what must be known and is not, RefusedError as `told_runs` does, StoreError.
    """
    with Store.open(state, create=False) as store:
        return made_record(told_runs(store.journals, run_id, node_id), details)


def made_record(runs: Sequence[ToldRun], details: Details) -> SanitisationRecord:
    """The same of runs that were read, oldest first; the last one is the one that was named."""
    run = runs[-1]
    answers = [answer for each in runs for act in each.acts for answer in act.answers]
    node_id, machine = run.node.node_id, next((one.machine for one in reversed(answers) if one.machine), None)
    serial = run.node.serial or (machine.serial if machine else None)
    model = details.machine_model or (machine.product if machine else None)
    if serial is None or model is None:
        what, key = ("serial number", "serial") if serial is None else ("model", "machine_model")
        where = "the inventory" if serial is None else str(details.file)
        raise UsageError(f"nothing tells the {what} of {node_id}", hint=f"write `{key}` into {where}")
    people = _People(runs, details)
    return SanitisationRecord(
        node_id=node_id,
        machine_serial=serial,
        machine_model=model[:_WORD],
        property_number=details.property_number,
        source=details.source,
        classification=details.classification,
        classification_after=details.classification_after,
        backup=details.backup,
        destination=details.destination,
        identity_checked=details.identity_checked,
        drives=_drives(runs, details),
        tpm=_tpm(runs, details),
        destroyed=details.destroyed,
        performed_by=people.person("performed"),
        verified_by=people.person("verified"),
        validated_by=people.person("validated"),
        records=_records(runs, answers),
        simulated=any(each.node.simulated for each in runs) or any(one.simulated for one in answers),
    )


@dataclass(frozen=True, slots=True)
class _People:
    """Who did what, each at the moment that the details or the journal tell."""

    runs: Sequence[ToldRun]
    details: Details

    def person(self, role: str) -> Person:
        """Who had a role; raises UsageError when nothing tells when."""
        one: Named = self.details.people[role]
        moment = one.at or (self.runs[-1].answered if role == "validated" else self._last_act())
        if moment is None:
            raise UsageError(
                f"{self.details.file}: people.{role}: nothing in the journal tells when that was",
                hint="write `at:` under it, such as 2026-06-01T09:00Z",
            )
        return one.at_moment(moment)

    def _last_act(self) -> datetime | None:
        ended = [act.ended for run in self.runs for act in run.acts if act.began is not None and act.ended is not None]
        return ended[-1] if ended else None


def _drives(runs: Sequence[ToldRun], details: Details) -> list[Drive]:
    """Every drive that an act was meant for and that told who it is, with the attempts on it, and those of people."""
    seen: dict[str, tuple[str, ControlData]] = {}
    attempts: dict[str, list[EraseAttempt]] = {}
    marked: dict[tuple[str, str], ControlData] = {}
    for act in (act for run in runs for act in run.acts if act.controller in (MARKERS, SANITIZE)):
        device, serial, seed = (str(act.given.get(key)) for key in ("device", "serial", "seed"))
        for data in _looks(act, serial):
            seen.setdefault(serial, (device, data))
            if act.controller == MARKERS:
                marked[serial, seed] = data
        if act.controller == SANITIZE and act.began is not None:
            made = _attempt(act, act.began, seed, marked.get((serial, seed)))
            attempts.setdefault(serial, []).append(made)
    if unknown := attempts.keys() - seen.keys():
        raise RefusedError(
            f"an erase was begun on the drive {min(unknown)}, and no document tells what that drive is",
            hint="destroy it, and name it under `drives` and `destroyed` of another record",
        )
    found = [drive_of(device, data, *attempts.get(serial, [])) for serial, (device, data) in seen.items()]
    found += [drive for drive in details.drives if drive.serial not in seen]
    if not found:
        raise RefusedError(
            f"no journal tells of a drive of {runs[-1].node.node_id}",
            hint="name the run that erased it, or write its drives under `drives` into the file of details",
        )
    return found


def _looks(act: ToldAct, serial: str) -> Iterator[ControlData]:
    """The answers in which the drive that was meant told who it is, oldest first."""
    for answer in act.answers:
        data = answer.data
        if data is not None and data.observed.get("serial") == serial and data.observed.get("model"):
            yield data


def _attempt(act: ToldAct, began: datetime, seed: str, marked: ControlData | None) -> EraseAttempt:
    end, checked = act.end, act.said(ControlPhase.POSTCHECK)
    return erase_attempt(
        Technique(act.given["technique"]),
        act.said(ControlPhase.APPLY),
        end,
        checked,
        started_at=began,
        ended_at=act.ended if end is not None or checked is not None else None,
        seed=seed,
        marked=marked,
    )


def _tpm(runs: Sequence[ToldRun], details: Details) -> TpmEvidence | None:
    """What the last `tpm-clear` that came to anything tells; None only where somebody says that there is no TPM."""
    acts = [act for run in runs for act in run.acts if act.controller == TPM]
    told = [act for act in acts if any(one.data and one.data.observed for one in act.answers)]
    if details.no_tpm:
        if told:
            raise UsageError(
                f"{details.file}: tpm: it says that the machine has none, and the TPM answered", hint="take that out"
            )
        return None
    for act in reversed(told):
        before = act.said(ControlPhase.APPLY) or act.said(ControlPhase.PRECHECK)
        if before is None or act.ended is None:
            continue
        if before.phase is ControlPhase.PRECHECK and before.result is not ControlResult.HOLDS:
            continue  # it was refused, which changed nothing
        checked = before if before.phase is ControlPhase.PRECHECK else act.said(ControlPhase.POSTCHECK)
        return tpm_evidence(before, act.end, checked, before=act.began or act.ended, after=act.ended)
    return TpmEvidence(before=None, after=None, exit_status=None)


def _records(runs: Sequence[ToldRun], answers: Sequence[Answers]) -> list[RecordRef]:
    """The plans and the documents that the record rests on."""
    plans = [RecordRef(name=f"{run.plan.run_id}.plan.json", sha256=run.plan.sha256) for run in runs]
    found = [RecordRef(name=one.name, sha256=one.sha256) for one in answers]
    if len(found) > _MOST_DOCUMENTS or len(plans) > 10:
        raise RefusedError(
            f"the record would rest on {len(found)} documents of {len(plans)} runs, more than one can name",
            hint="the machine was tried too often: destroy its media, and certify that",
        )
    return [*plans, *found]
