"""Stories of nodes that were shut down in good order, some of them with something in the log that looks like worse."""

import datetime as dt
from dataclasses import replace

from sparkctl.lab import reset_kernel as kernel
from sparkctl.lab import reset_lines as lines
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.reset_past import DAY, HOUR, Lines, ended, past, upgraded, while_running
from sparkctl.lab.reset_story import Answer, Dump, Line, Note, Past, Story, Truth

REBOOT = "/usr/sbin/reboot"
BY_OPERATOR = Truth("orderly.reboot", "platform_reset.power_kept", "os.operator")
REQUESTED = Answer("orderly.reboot", "platform_reset", "os", expected="unknown", data_at_risk="no")
UPGRADES = "/var/log/unattended-upgrades/unattended-upgrades.log"
SECOND_JOURNALD = 48_902
BUILT = dt.datetime(2024, 4, 22, tzinfo=dt.UTC).timestamp()
"""The day to which systemd moves a clock that stands before it: that of its own build."""


def _asked(at: float, command: str = REBOOT) -> Lines:
    """Somebody signs in and runs a command as root `at` seconds after the boot began."""
    return (*lines.signed_in(at - 40), *lines.commanded(at, command))


def _by_operator(node: NodeModel) -> Past:
    at = 5 * DAY + 3_211.4
    return past(node, ended("last", at, after=_asked(at - 0.3)))


def _by_upgrades(node: NodeModel) -> Past:
    at = 9 * DAY + 22_141.8
    starts = "Starting apt-daily-upgrade.service - Daily apt upgrade and clean activities..."
    before = (Line(at - 195, lines.INIT, starts, lines.STARTING),)
    said = (
        (190, "INFO Starting unattended upgrades script"), (140, "INFO Packages that will be upgraded: linux-base"),
        (2, "INFO All upgrades installed"), (1, "WARNING Found /var/run/reboot-required, rebooting"),
    )  # fmt: skip
    notes = (Note(UPGRADES, "last", at - ago, f"%Y-%m-%d %H:%M:%S,204 {words}\n") for ago, words in said)
    settings = 'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n'
    return past(
        node, ended("last", at, after=before),
        notes=(*upgraded("last", at - 130, "/usr/bin/unattended-upgrade"), *notes),
        files=(
            ("/usr/bin/unattended-upgrade", "simulated\n"),
            ("/etc/apt/apt.conf.d/20auto-upgrades", settings),
            ("/etc/apt/apt.conf.d/50unattended-upgrades", 'Unattended-Upgrade::Automatic-Reboot "true";\n'),
        ),
        edits=(("/var/lib/dpkg/status", "unattended-upgrades\nStatus: deinstall ok config-files",
                "unattended-upgrades\nStatus: install ok installed"),),
    )  # fmt: skip


def _power_key(node: NodeModel) -> Past:
    at = 3 * DAY + 41_002.6
    before = (
        Line(at - 0.05, lines.LOGIND, "Power key pressed short.", lines.POWER_KEY),
        Line(at - 0.04, lines.LOGIND, "Powering off..."),
    )
    return past(node, ended("last", at, "poweroff", after=before, off=9.3 * HOUR))


def _timed(node: NodeModel) -> Past:
    at, words = 4 * DAY + 30_600.2, "rack a1 moves"
    before = (
        *_asked(at - 600, f"/usr/sbin/shutdown -r +10 {words}"),
        Line(at - 300, lines.LOGIND, "Creating /run/nologin, blocking further logins..."),
    )
    return past(node, ended("last", at, after=before, words=words))


def _oops(node: NodeModel) -> Past:
    at, crash = 6 * DAY + 9_000.7, 5 * DAY + 2_044.3
    before = (*kernel.oops(node, crash), *_asked(at - 0.3))
    return past(node, ended("last", at, after=before, dump=Dump("Oops", crash + 0.04)))


def _oom(node: NodeModel) -> Past:
    at = 2 * DAY + 50_812.1
    return past(node, ended("last", at, after=(*kernel.out_of_memory(at - 1_900), *_asked(at - 0.3))))


def _watchdog_line(node: NodeModel) -> Past:
    at, armed = 7 * DAY + 12_440.9, _armed()
    here = "/sys/class/watchdog/watchdog0"
    files = ((f"{here}/state", "active\n"), (f"{here}/timeout", "60\n"), (f"{here}/timeleft", "41\n"))
    return past(
        node, ended("last", at, after=(*armed, *_asked(at - 0.3))), running=armed,
        files=(*files, ("/etc/systemd/system.conf.d/watchdog.conf", "[Manager]\nRuntimeWatchdogSec=60\n")),
    )  # fmt: skip


def _armed() -> Lines:
    return (
        Line(4.8, lines.INIT_EARLY, lines.WATCHDOG),
        Line(4.81, lines.INIT_EARLY, "Watchdog running with a hardware timeout of 1min."),
    )


def _clock_lost(node: NodeModel) -> Past:
    at, known = 8 * DAY + 20_203.5, 64.7
    clocks = ((0.0, 8.0), (4.7, BUILT), (known, None))
    return while_running(past(node, ended("last", at, after=_asked(at - 0.3))), clocks=clocks)


def _clock_stood_at_zero(node: NodeModel) -> NodeModel:
    line = "rtc-efi rtc-efi.0: setting system clock to 1970-01-01T00:00:08 UTC (8)"
    return replace(node, kernel_lines=((0.93, line),))


def _soft_reboot(node: NodeModel) -> Past:
    at, last = 3_012.8, 5 * DAY + 18_002.2
    again = replace(lines.JOURNALD, pid=SECOND_JOURNALD)
    running = (
        *_asked(at - 0.3, "/usr/bin/systemctl soft-reboot"),
        *lines.orderly(at, "soft-reboot"),
        Line(at + 3.4, lines.INIT, "Soft-rebooting."),
        Line(at + 3.7, lines.JOURNALD, "Journal stopped", lines.JOURNAL_STOPPED),
        lines.found_open(node, at + 6.2, replace(lines.JOURNALD_EARLY, pid=SECOND_JOURNALD)),
        Line(at + 6.3, again, "Journal started", lines.JOURNAL_STARTED),
        *lines.user_space(at + 7.0),
    )
    found = past(node, ended("last", last, after=_asked(last - 0.3)), running=running)
    return while_running(found, restarts=(at + 6.2,))


ORDERLY: tuple[Story, ...] = (
    Story("reset-by-operator", "rebooted by an operator with sudo", BY_OPERATOR, REQUESTED, _by_operator),
    Story(
        "reset-by-upgrades", "rebooted by unattended-upgrades after a kernel update",
        Truth("orderly.reboot", "platform_reset.power_kept", "os.service"), REQUESTED, _by_upgrades,
        signs=("software.unattended_upgrades_reboot",),
    ),
    Story(
        "reset-by-power-key", "powered off by its power key, started nine hours later",
        Truth("orderly.poweroff", "platform_reset.power_lost.sustained", "human_physical.power_button"),
        Answer("orderly.poweroff", "platform_reset", "human_physical", expected="unknown", data_at_risk="no"),
        _power_key,
    ),
    Story("reset-timed", "rebooted by a shutdown that was scheduled with a message", BY_OPERATOR, REQUESTED, _timed),
    Story(
        "reset-oops-then-reboot", "an oops that the kernel survived, and a reboot a day later",
        BY_OPERATOR, REQUESTED, _oops, signs=("boot.pstore",),
    ),
    Story(
        "reset-oom-then-reboot", "a process killed for want of memory, and a reboot half an hour later",
        BY_OPERATOR, REQUESTED, _oom,
    ),
    Story(
        "reset-watchdog-line", "an armed watchdog that `did not stop!` at an orderly reboot: it never does",
        BY_OPERATOR, REQUESTED, _watchdog_line,
    ),
    Story(
        "reset-clock-lost", "rebooted in good order into 1970: the clock was set by NTP a minute later",
        BY_OPERATOR, REQUESTED, _clock_lost, change=_clock_stood_at_zero,
    ),
    Story(
        "reset-soft-reboot", "an orderly reboot, then a soft-reboot that is no new boot though wtmp says so",
        BY_OPERATOR, REQUESTED, _soft_reboot, signs=("forensic.unclean_shutdowns",),
    ),
)  # fmt: skip
"""Stories that ended in good order."""
