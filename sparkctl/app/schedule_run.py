"""One start of a schedule: due, splay, lock, command, log, heartbeat; silent when there is nothing to say."""

import hashlib
import os
import pwd
import socket
import time
from datetime import UTC, datetime

from sparkctl.app.schedule_child import Ended, Interrupted, run_to_the_end
from sparkctl.app.schedule_judge import coverage_of, exit_name, summary, why_failed
from sparkctl.app.schedule_log import ScheduleLog
from sparkctl.app.schedule_memory import Keeper
from sparkctl.errors import BusyError, ExitCode, RefusedError, SparkctlError, UsageError
from sparkctl.model.printable import clip, printable
from sparkctl.model.schedule import DIGESTING, SENDING, Heartbeat, Schedule, ScheduleOutcome, SchedulePlan, Skips
from sparkctl.model.sweep import SweepReport
from sparkctl.store.lock import LOCK_NAME, nobody_sweeps

_POLL_S = 1.0
# What the run keeps of its time for storing and reporting after its own deadline.
_TO_END_S = 5


class Loud(SparkctlError):
    """A scheduled run of which the operator is to hear; the exit code is that of the run."""

    def __init__(self, message: str, hint: str, code: int) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = ExitCode(code) if exit_name(code) else ExitCode.UNJUDGED


def host_name() -> str:
    """This host's name, as heartbeats have it."""
    return printable(socket.gethostname(), 120) or "localhost"


def splay_of(schedule: Schedule, host: str) -> int:
    """How many seconds after a start this host begins: always the same, and another on other hosts."""
    digest = hashlib.sha256(f"{host}\0{schedule.name}".encode()).digest()
    return int.from_bytes(digest[:8]) % (schedule.splay_s + 1)


def schedule_named(plan: SchedulePlan, name: str) -> Schedule:
    """A schedule of the plan; raises UsageError."""
    if name not in plan.schedules:
        raise UsageError(
            f"there is no schedule {printable(name, 60)} in {plan.file}", hint=f"there is: {', '.join(plan.schedules)}"
        )
    return plan.schedules[name]


def run_schedule(plan: SchedulePlan, name: str, *, now: bool = False) -> bool:
    """Run a schedule if it is due, or `now`; whether it ran.

    Raises Loud when the run failed or ended in a way that is not quiet, BusyError after too many skips in a row,
    RefusedError for another user than that of the plan, and UsageError or StoreError when files cannot be used.
    """
    schedule = schedule_named(plan, name)
    _require_user(plan)
    keeper = Keeper(plan, schedule)
    keeper.prepare()
    with Interrupted().noted() as interrupted:
        due = None if now else keeper.take(datetime.now(UTC))
        if due is None and not now:
            return False
        if not now and interrupted.wait(splay_of(schedule, host_name())):
            raise Loud(
                f"the schedule {name} was stopped before it began", "the next start comes as ever", ExitCode.UNJUDGED
            )
        return _Start(plan, schedule, keeper, due, interrupted).go()


def _require_user(plan: SchedulePlan) -> None:
    """What root makes in the state folder could not be used by the next run."""
    try:
        wanted = pwd.getpwnam(plan.user).pw_uid if plan.user else os.geteuid()
    except KeyError as error:
        raise UsageError(f"there is no user {plan.user}, whom {plan.file} names", hint="make the account") from error
    if wanted != os.geteuid():
        raise RefusedError(
            f"the schedules of {plan.file} run as {plan.user}, and this is another user",
            hint=f"sudo -u {plan.user} sparkctl schedule run ...",
        )


def arguments_of(plan: SchedulePlan, schedule: Schedule, seconds: int) -> list[str]:
    """The command line of a schedule, without the program, for a run of so many seconds."""
    arguments = [*schedule.run.split(), "--format", "jsonl", "--state", str(plan.state), *schedule.options]
    if schedule.does.selects or schedule.does.sends:
        arguments += ["--fleet", str(plan.fleet)]
    if schedule.does.sends and plan.sinks:
        arguments += ["--sinks", str(plan.sinks)]
    if schedule.run == DIGESTING:
        arguments.append("--send")
    if schedule.run == SENDING:
        arguments += ["--within", str(seconds)]
    if schedule.does.asks:
        arguments += ["--deadline", str(seconds)]
    if schedule.does.selects:
        arguments += ["--", *schedule.selector]
    return arguments


class _Start:
    def __init__(
        self, plan: SchedulePlan, schedule: Schedule, keeper: Keeper, due: datetime | None, interrupted: Interrupted
    ) -> None:
        self._plan, self._schedule, self._keeper = plan, schedule, keeper
        self._due, self._interrupted = due, interrupted
        self._log = ScheduleLog(plan.log, schedule.name)
        self._give_up = time.monotonic() + schedule.deadline_s

    def go(self) -> bool:
        """Run once the lock is free; whether it did."""
        try:
            with self._keeper.running():
                self._log.rotate()
                started = datetime.now(UTC)
                ended = self._run()
                heartbeat = self._keeper.ended(self._heartbeat(started, ended))
        except BusyError as busy:
            self._skip(busy)
            return False
        self._log.note(summary(heartbeat))
        self._speak(heartbeat, ended)
        return True

    def _run(self) -> Ended:
        """The run, tried again while another run holds the state folder; raises BusyError after a third of the time."""
        patience = time.monotonic() + self._schedule.deadline_s / 3
        while True:
            if self._schedule.does.locks:
                self._wait_for_lock(patience)
            seconds = self._give_up - time.monotonic()
            arguments = arguments_of(self._plan, self._schedule, max(int(seconds) - _TO_END_S, 1))
            self._log.note(f"begin: sparkctl {' '.join(arguments)}")
            ended = run_to_the_end(arguments, seconds, self._interrupted, self._log.note)
            if ended.code != ExitCode.BUSY:
                return ended
            if time.monotonic() >= patience:
                raise BusyError(ended.last_words or "another run holds the state folder")

    def _wait_for_lock(self, patience: float) -> None:
        """Wait while another schedule has its turn; who holds the lock longer is named by the run itself."""
        while time.monotonic() < patience:
            with nobody_sweeps(self._plan.state) as free:
                if free:
                    return
            if self._interrupted.wait(_POLL_S):
                return

    def _skip(self, busy: BusyError) -> None:
        """Count a start that was lost; whoever runs it by hand is told at once."""
        if self._due is None:
            raise busy
        skips = self._keeper.skipped(datetime.now(UTC), busy.message)
        self._log.note(f"skipped, {skips.in_a_row} in a row: {busy.message}")
        if skips.in_a_row >= self._schedule.complain_after:
            hint = f"see who holds {self._plan.state / LOCK_NAME}, or give the schedules longer periods"
            words = f"the schedule {self._schedule.name} on {host_name()} was skipped {skips.in_a_row} times in a row"
            raise BusyError(f"{words}: {busy.message}", hint=hint)

    def _heartbeat(self, started: datetime, ended: Ended) -> Heartbeat:
        report, before, finished = ended.report, self._last_done(), datetime.now(UTC)
        coverage = coverage_of(report)
        why = why_failed(self._schedule, ended, coverage)
        return Heartbeat(
            name=self._schedule.name,
            host=host_name(),
            run=self._schedule.run,
            selector=clip(self._schedule.selection),
            period_s=self._schedule.times.gaps_s[1],
            max_age_s=self._schedule.max_age_s,
            due_at=self._due,
            started_at=started,
            finished_at=finished,
            outcome=ScheduleOutcome.FAILED if why else ScheduleOutcome.DONE,
            exit_code=ended.code if ended.code >= 0 else None,
            exit_name=exit_name(ended.code),
            why=clip(why) if why else None,
            run_id=report.run_id if report else None,
            coverage=coverage,
            completeness=report.completeness if isinstance(report, SweepReport) else None,
            interrupted=report.interrupted if report else ended.late or ended.killed,
            skips=Skips(),  # filled in under the lock
            last_done_at=before if why else finished,
        )

    def _last_done(self) -> datetime | None:
        try:
            before = self._keeper.heartbeat()
        except UsageError as error:
            self._log.note(f"{error.message}; it is replaced")
            return None
        return before.last_done_at if before else None

    def _speak(self, heartbeat: Heartbeat, ended: Ended) -> None:
        """Raise Loud unless there is nothing that the operator wants to hear."""
        failed = heartbeat.outcome is ScheduleOutcome.FAILED
        if not failed and heartbeat.exit_name in self._schedule.quiet_on and self._log.trouble is None:
            return
        told = failed or ended.code == ExitCode.SINK_FAILED
        said = f" It said: {ended.last_words}" if told and ended.last_words else ""
        trouble = f" And {self._log.trouble}." if self._log.trouble else ""
        message = f"the schedule {heartbeat.name} on {heartbeat.host}: {summary(heartbeat)}.{said}{trouble}"
        code = heartbeat.exit_code or ExitCode.UNJUDGED
        raise Loud(message, f"read {self._log.path}, or run it: sparkctl schedule run {heartbeat.name} --now", code)
