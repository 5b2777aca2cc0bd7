"""Journals of erasing playbooks for tests: what a node answered, step by step, in a store of its own."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sparkctl.model.control import ControlData, ControlEnvelope, ControlPhase, ControlResult
from sparkctl.model.journal import Act, Answer, Answered, Ended, Intended, Result, act_id
from sparkctl.model.plan import Plan
from sparkctl.model.playbook import Step
from sparkctl.model.run import RunRecord
from sparkctl.store.store import Store
from tests.support.envelopes import envelope, reported
from tests.support.playbooks import plan_of

NODE, MACHINE, DRIVE = "n1", "MACHINE7", "S1"
BEGAN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
TECHNIQUES = {"erase": "sanitize_crypto_erase", "again": "sanitize_block_erase"}
BEFORE = {
    "serial": DRIVE, "model": "Samsung X", "firmware": "1.0", "sanicap": 7, "fna": 4, "sanitize_state": 0,
    "sanitize_progress": 65535, "sanitize_cdw10": 0, "global_erased": False, "markers": 64, "markers_found": 64,
    "markers_digest": "ab" * 32, "markers_direct": True, "markers_unreadable": 0, "bytes": 4 * 10**12,
    "tool_version": "2.8",
}  # fmt: skip
AFTER = BEFORE | {"sanitize_state": 1, "sanitize_cdw10": 4, "global_erased": True, "markers_found": 0}
OWNED = {
    "owner_auth": True, "endorsement_auth": False, "lockout_auth": False, "owner_handles": 1, "owner_nv": 1,
    "manufacturer": "IBM", "tool_version": "5.6",
}  # fmt: skip
CLEARED = OWNED | {"owner_auth": False, "owner_handles": 0, "owner_nv": 0}


def said(phase: ControlPhase, result: ControlResult, observed: dict[str, Any] | None = None, **more: Any) -> str:
    """A visit in which a controller answered."""
    data = ControlData(
        controller="nvme-sanitize",
        phase=phase,
        act="0" * 32,
        result=result,
        summary="x",
        observed=observed or {},
        **more,
    )
    told = envelope(node={
        "hostname": NODE, "boot_id": "b", "serial": MACHINE, "serial_source": "dmi", "product": "NVIDIA_DGX_Spark"
    })  # fmt: skip
    told["data"] = json.loads(data.model_dump_json())
    record = reported(NODE)
    return RunRecord.model_validate_json(
        json.dumps(
            json.loads(record.model_dump_json())
            | {"envelope": json.loads(ControlEnvelope.model_validate_json(json.dumps(told)).model_dump_json())}
        )
    ).model_dump_json()


def done(before: dict[str, Any], after: dict[str, Any], status: int = 0) -> list[str]:
    """What a node answers to an act that ran to its end."""
    ended = ControlResult.DONE if status == 0 else ControlResult.FAILED
    return [
        said(ControlPhase.APPLY, ControlResult.STARTED, before, unit="u.service", argv=["/usr/sbin/nvme", "sanitize"]),
        said(ControlPhase.OBSERVE, ended, exit_status=status, reason=None if status == 0 else "exit_status"),
        said(ControlPhase.POSTCHECK, ControlResult.HOLDS, after),
    ]


class Journalled:
    """One run over one node; what is written goes on in minutes."""

    def __init__(self, state: Path, run_id: str = "r1", *, serial: str | None = MACHINE, at: datetime = BEGAN) -> None:
        drive = {"device": "nvme0n1", "serial": DRIVE, "seed": "$seed"}
        options = {name: drive | {"technique": TECHNIQUES[name]} for name in TECHNIQUES} | {"markers": drive, "tpm": {}}
        verbs = {"markers": "nvme-markers", "tpm": "tpm-clear"}
        steps = [
            Step(id=name, do=f"control.{verbs.get(name, 'nvme-sanitize')}", title=name, within_s=60, options=given)
            for name, given in options.items()
        ]
        made = plan_of([NODE], steps=[*steps, Step(id="check", do="ask", title="x", within_s=60)], run_id=run_id)
        nodes = [made.nodes[0].model_copy(update={"serial": serial})]
        self.plan: Plan = made.model_copy(update={"nodes": nodes})
        self.state, self.at = state, at
        with Store.open(state) as store:
            store.journals.keep_plan(self.plan)

    def _act(self, step: str, attempt: int) -> dict[str, Any]:
        name = act_id(self.plan.run_id, NODE, step, attempt, undoing=False)
        return Act(node_id=NODE, step=step, act=name, attempt=attempt).model_dump()

    def write(self, *events: Any, texts: list[str] | None = None) -> None:
        self.at += timedelta(minutes=1)
        with Store.open(self.state) as store:
            until = self.at + timedelta(minutes=1)
            run_id = self.plan.run_id
            claim = store.journals.claim(run_id, [NODE], "t", now=self.at, until=until, gone=lambda _: True)
            store.journals.append(claim, events, now=self.at, until=until, texts=texts or [])
            store.journals.let_go(claim)

    def begin(self, step: str, attempt: int = 1) -> None:
        self.write(Intended(**self._act(step, attempt), boot_id="b"))

    def end(self, step: str, texts: list[str], result: Result = Result.DONE, attempt: int = 1, **more: Any) -> None:
        from sparkctl.app.playbook_driver import digests  # noqa: PLC0415

        act = self._act(step, attempt)
        self.write(
            Ended(**act, result=result, summary="x", duration_ms=1, documents=digests(texts), **more), texts=texts
        )

    def did(self, step: str, texts: list[str], result: Result = Result.DONE) -> None:
        self.begin(step)
        self.end(step, texts, result)

    def answered(self) -> None:
        self.write(Answered(**self._act("check", 1), answer=Answer.DONE, by="vic", why="seen"))

    def free(self) -> None:
        """End the run, so that another one may have the node."""
        from sparkctl.model.journal import Closed, Outcome  # noqa: PLC0415

        with Store.open(self.state) as store:
            self.at += timedelta(minutes=1)
            claim = store.journals.claim(self.plan.run_id, [NODE], "t", now=self.at, until=self.at, gone=lambda _: True)
            store.journals.append(
                claim, [Closed(outcome=Outcome.DONE, summary="x")], now=self.at, until=self.at, close=True
            )
