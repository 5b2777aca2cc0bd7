"""What cron and systemd are given to read, and how a file of ours is known again.

Everything that goes in is of `SAFE_PATH`, names and numbers: nothing here means anything to a shell, cron (`%`) or
systemd (`%`, `$`, quotes). Debian's cron has one time zone for all (cron(8)), so that its lines name minutes only, and
a run finds out in UTC whether it is due. systemd takes `UTC` behind a calendar expression (systemd.time(7)).
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sparkctl.app.schedule_child import STOP_S, program
from sparkctl.app.schedule_options import SAFE_PATH
from sparkctl.app.sink_folders import written_folders
from sparkctl.errors import UsageError
from sparkctl.model.schedule import Schedule, SchedulePlan

PREFIX = "sparkctl-"
_MARK = re.compile(r"# sparkctl schedule ([a-z][a-z0-9-]{0,31}) sha256:([0-9a-f]{64})\n")
_OPTION = re.compile(r"-[A-Za-z]|[a-z]+")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GRACE_S = 60


class Way(StrEnum):
    """Who starts a schedule: cron, systemd, or the systemd of one user."""

    CRON = "cron"
    SYSTEMD = "systemd"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Mark:
    """That a file is ours: of which schedule, and whether somebody has changed it since."""

    name: str
    changed: bool


def folder_of(way: Way, root: Path, config_home: Path) -> Path:
    """Where files of a way are."""
    places = {Way.CRON: root / "etc/cron.d", Way.SYSTEMD: root / "etc/systemd/system"}
    return places.get(way, config_home / "systemd/user")


def files_of(way: Way, plan: SchedulePlan, schedule: Schedule) -> dict[str, str]:
    """The files of a schedule by their names, with their text. Raises UsageError for what cannot go into them."""
    name = f"{PREFIX}{schedule.name}"
    if way is Way.CRON:
        return {name: _marked(schedule, _crontab(plan, schedule))}
    service = _service(plan, schedule, of_user=way is Way.USER)
    return {f"{name}.service": _marked(schedule, service), f"{name}.timer": _marked(schedule, _timer(schedule))}


def mark_of(text: str) -> Mark | None:
    """The mark of a file's text, None when it is not one of ours."""
    found = _MARK.match(text)
    if found is None:
        return None
    return Mark(found[1], changed=_digest(text[found.end() :]) != found[2])


def _marked(schedule: Schedule, body: str) -> str:
    return f"# sparkctl schedule {schedule.name} sha256:{_digest(body)}\n{body}"


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _command(plan: SchedulePlan, schedule: Schedule) -> str:
    words = [*program(), "schedule", "run", schedule.name, "--file", str(plan.file)]
    for word in words:
        if not SAFE_PATH.fullmatch(word) and not _OPTION.fullmatch(word) and word not in (schedule.name, "--file"):
            raise UsageError(
                f"{word!r} cannot stand in a crontab or a unit",
                hint="use paths of letters, digits and _ . / + , @ = - only",
            )
    return " ".join(words)


def _crontab(plan: SchedulePlan, schedule: Schedule) -> str:
    minutes = ",".join(map(str, schedule.times.minutes_of_hours))
    mail = [f"MAILTO={plan.mailto}"] if plan.mailto else []
    return "\n".join([
        "# Written by `sparkctl schedule install --cron`: change the file of schedules, not this one.",
        f"# {schedule.run} {schedule.times.words}. cron has one time zone and changes its clock with it: it starts",
        "# this at every minute that can be a start in UTC, and sparkctl ends at once when none is due.",
        "SHELL=/bin/sh",
        f"PATH={_PATH}",
        *mail,
        f"{minutes} * * * * {_user(plan)} {_command(plan, schedule)}",
        "",
    ])  # fmt: skip


def _service(plan: SchedulePlan, schedule: Schedule, *, of_user: bool) -> str:
    longest = schedule.splay_s + schedule.deadline_s + int(STOP_S) + _GRACE_S
    return "\n".join([
        "# Written by `sparkctl schedule install`: change the file of schedules, not this one.",
        "[Unit]",
        f"Description=sparkctl schedule {schedule.name}: {schedule.run} {schedule.times.words}",
        *([] if of_user else ["Wants=network-online.target", "After=network-online.target"]),
        "",
        "[Service]",
        "Type=oneshot",
        f"ExecStart={_command(plan, schedule)}",
        f"TimeoutStartSec={longest}",
        # Only the parent is asked to end: it ends its command in good order.
        "KillMode=mixed",
        f"TimeoutStopSec={int(STOP_S) + 10}",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "LockPersonality=yes",
        "RestrictRealtime=yes",
        *([] if of_user else _hardening(plan, schedule)),
        "",
    ])  # fmt: skip


def _hardening(plan: SchedulePlan, schedule: Schedule) -> list[str]:
    user = _user(plan)
    return [
        f"User={user}",
        "ProtectSystem=strict",
        "ProtectHome=read-only",
        *(f"ReadWritePaths={_safe(path)}" for path in writable(plan, schedule)),
        "PrivateTmp=yes",
        "ProtectKernelTunables=yes",
        "ProtectKernelModules=yes",
        "ProtectControlGroups=yes",
        "RestrictSUIDSGID=yes",
        "RestrictNamespaces=yes",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
        "SystemCallArchitectures=native",
        *([] if user == "root" else ["CapabilityBoundingSet="]),
    ]


def _safe(path: Path) -> Path:
    if not SAFE_PATH.fullmatch(str(path)):
        hint = "use paths of letters, digits and _ . / + , @ = - only"
        raise UsageError(f"{str(path)!r} cannot stand in a unit", hint=hint)
    return path


def writable(plan: SchedulePlan, schedule: Schedule) -> list[Path]:
    """The folders that a run writes to, without those that are in another of them."""
    wanted = {plan.state, plan.heartbeats, plan.log.folder, *schedule.writes_to}
    if plan.prom is not None:
        wanted.add(plan.prom)
    if schedule.does.sends:
        wanted |= written_folders(plan.sinks, plan.fleet)
    return sorted(path for path in wanted if not any(other in path.parents for other in wanted))


def _timer(schedule: Schedule) -> str:
    return "\n".join([
        "# Written by `sparkctl schedule install`: change the file of schedules, not this one.",
        "[Unit]",
        f"Description=sparkctl schedule {schedule.name} {schedule.times.words}",
        "",
        "[Timer]",
        *(f"OnCalendar={calendar}" for calendar in schedule.times.calendar),
        "Persistent=true",
        "AccuracySec=1s",
        # The splay is ours: the same under cron, and the same every time.
        "RandomizedDelaySec=0",
        "",
        "[Install]",
        "WantedBy=timers.target",
        "",
    ])  # fmt: skip


def _user(plan: SchedulePlan) -> str:
    if plan.user is None:
        raise UsageError(
            f"{plan.file} does not say who its schedules run as",
            hint="write `user: NAME` into it, an ordinary account with the SSH keys, or install with --systemd --user",
        )
    return plan.user
