"""What a node with DGX OS 7 logs when it starts, when it stops in good order, and when somebody works on it.

The words are those of systemd 255, OpenSSH 9.6 and sudo 1.9; the message ids are those of systemd's catalogue.
"""

from collections.abc import Iterable, Iterator

from sparkctl.lab.files_proc import command_line
from sparkctl.lab.kernel_messages import kernel_messages
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.reset_story import CRITICAL, INFO, KERNEL, NOTICE, WARNING, Boot, Line, Writer

INIT = Writer("journal", "systemd", 1, comm="systemd", unit="init.scope")
INIT_EARLY = Writer("kernel", "systemd")
SHUTDOWN = Writer("kernel", "systemd-shutdown")
JOURNALD = Writer("driver", "systemd-journald", 498, comm="systemd-journal", unit="systemd-journald.service")
JOURNALD_EARLY = Writer("kernel", "systemd-journald", 498, comm="systemd-journal", unit="systemd-journald.service")
LOGIND = Writer("journal", "systemd-logind", 1_203, comm="systemd-logind", unit="systemd-logind.service")
TIMESYNCD = Writer("journal", "systemd-timesyncd", 911, 997, "systemd-timesyn", "systemd-timesyncd.service")
PSTORE = Writer("journal", "systemd-pstore", 733, comm="systemd-pstore", unit="systemd-pstore.service")
FSCK = Writer("stdout", "systemd-fsck", 702, comm="systemd-fsck", unit="systemd-fsck@dev-nvme0n1p1.service")
SSHD = Writer("syslog", "sshd", 1_377, comm="sshd", unit="ssh.service")
SUDO = Writer("syslog", "sudo", 48_233, 1000, "sudo", "session-7.scope", "/usr/bin/sudo")
SERVING = Writer("stdout", "vllm", 48_211, 1000, "VLLM::EngineCor", "vllm.service")
SAMPLER = Writer("stdout", "site-metrics", 1_590, 996, "site-metrics", "site-metrics.service")

STARTED, STARTING = "39f53479d3a045ac8e11786248231fbf", "7d4958e842da4a758f6c1cdc7b36dcc5"
STOPPED, STOPPING = "9d1aaa27d60140bd96365438aad20286", "de5b426a63be47a7b6ac3eaac82e2f6f"
STARTUP_FINISHED = "b07a249cd024414a82dd00cd181378ff"
JOURNAL_STARTED, JOURNAL_STOPPED = "f77379a8490b408bbe5f6940505a777b", "d93fb3c9c24d451a97cea615ce59c00b"
JOURNAL_USAGE = "ec387f577b844b8fa948f33cad9a75e6"
NEW_SEAT, ANNOUNCED = "fcbefc5da23d428093f97c82a9290f7b", "9e7066279dc8403da79ce4b1a69064b2"
SHUTTING_DOWN, POWER_KEY = "98268866d1d54a499c4e98921d93bc40", "b72ea4a2881545a0b50e200e55b9b06f"

JOURNALD_STARTS = 5.4
"""When journald takes over what was said before, in seconds since the kernel started."""
UTMP_WRITTEN = 8.9
ADMIN, DESK = "admin", "192.0.2.200"
WATCHDOG = "Using hardware watchdog 'SBSA Generic Watchdog', version 0, device /dev/watchdog0"
WATCHDOG_SET = "Watchdog running with a hardware timeout of 10min."
ANNOUNCE = {"reboot": "reboot", "poweroff": "power off", "soft-reboot": "soft-reboot"}
VERBS = {
    "reboot": ("System is rebooting", "reboot", "System Reboot"),
    "poweroff": ("System is powering down", "power-off", "System Power Off"),
    "soft-reboot": ("System userspace is rebooting", "soft-reboot", "Reboot System Userspace"),
}
"""By verb: what logind says, what it puts into SHUTDOWN=, and what the last target is called."""
SERVICES = (
    ("docker.service", "Docker Application Container Engine"),
    ("ssh.service", "OpenBSD Secure Shell server"),
    ("systemd-logind.service", "User Login Management"),
    ("nvidia-persistenced.service", "NVIDIA Persistence Daemon"),
)
LAST_TARGETS = (
    ("umount.target", "Unmount All Filesystems"),
    ("shutdown.target", "System Shutdown"),
    ("final.target", "Late Shutdown Services"),
)


def beginning(node: NodeModel, boot: Boot, before: Boot | None, moved: Iterable[str] = ()) -> Iterator[Line]:
    """The start of a boot, up to a system that runs; `moved` are crash records that it takes out of the firmware."""
    yield from kernel_start(node)
    for at, message in (
        (4.71, "systemd 255.4-1ubuntu8.11 running in system mode (+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK)"),
        (4.72, "Detected architecture arm64."),
        (4.73, f"Hostname set to <{node.name}>."),
        (5.12, "Queued start job for default target graphical.target."),
    ):
        yield Line(at, INIT_EARLY, message)
    yield from _journal(node, before)
    if before is not None and not before.closed:
        yield Line(7.2, FSCK, "0x25: Dirty bit is set. Fs was not properly unmounted and some data may be corrupt.")
    for number, path in enumerate(moved):
        yield Line(8.3 + number / 100, PSTORE, f"PStore {path.rpartition('/')[2]} moved to {path}")
    yield from user_space(8.6)
    yield Line(boot.clocks[-1][0] or 16.1, TIMESYNCD, "Contacted time server 192.0.2.123:123 (ntp.example.net).")


def kernel_start(node: NodeModel) -> Iterator[Line]:
    """What the kernel of a node says, with its command line."""
    messages = kernel_messages(node)
    for at, message in messages:
        yield Line(at, KERNEL, message, level=INFO)
        if message.startswith("Linux version "):
            yield Line(at, KERNEL, f"Kernel command line: {command_line(node)}")


def _journal(node: NodeModel, before: Boot | None) -> Iterator[Line]:
    on_disk, in_memory = f"/var/log/journal/{node.machine_id}", f"/run/log/journal/{node.machine_id}"
    yield Line(JOURNALD_STARTS + 0.4, JOURNALD, "Journal started", JOURNAL_STARTED)
    usage = f"Runtime Journal ({in_memory}) is 8.0M, max 2.4G, 2.3G free."
    yield Line(JOURNALD_STARTS + 0.41, JOURNALD, usage, JOURNAL_USAGE)
    if before is not None and not before.closed:
        yield found_open(node, 6.9, JOURNALD_EARLY)
    yield Line(6.95, JOURNALD, f"System Journal ({on_disk}) is 96.0M, max 4.0G, 3.9G free.", JOURNAL_USAGE)


def found_open(node: NodeModel, at: float, journald: Writer) -> Line:
    """What journald says of a journal that was not closed."""
    path = f"/var/log/journal/{node.machine_id}/system.journal"
    return Line(at, journald, f"File {path} corrupted or uncleanly shut down, renaming and replacing.", level=WARNING)


def user_space(at: float) -> Iterator[Line]:
    """From the local file systems to a system that runs, in some twelve seconds."""
    for offset, message, message_id in (
        (0.0, "Reached target local-fs.target - Local File Systems.", STARTED),
        (0.1, "Starting systemd-update-utmp.service - Record System Boot/Shutdown in UTMP...", STARTING),
        (0.3, "Finished systemd-update-utmp.service - Record System Boot/Shutdown in UTMP.", STARTED),
        (0.5, "Reached target sysinit.target - System Initialization.", STARTED),
        (0.7, "Reached target basic.target - Basic System.", STARTED),
    ):
        yield Line(at + offset, INIT, message, message_id)
    yield Line(at + 1.2, LOGIND, "Watching system buttons on /dev/input/event0 (Power Button)")
    yield Line(at + 1.3, LOGIND, "New seat seat0.", NEW_SEAT)
    for number, (unit, words) in enumerate(SERVICES):
        yield Line(at + 2.1 + number, INIT, f"Started {unit} - {words}.", STARTED)
    yield Line(at + 3.4, SSHD, "Server listening on 0.0.0.0 port 22.")
    yield Line(at + 9.8, INIT, "Reached target multi-user.target - Multi-User System.", STARTED)
    yield Line(at + 9.9, INIT, "Reached target graphical.target - Graphical Interface.", STARTED)
    spent = "11.204s (firmware) + 2.118s (loader) + 4.706s (kernel) + 15.331s (userspace) = 33.359s"
    yield Line(at + 11.4, INIT, f"Startup finished in {spent}.", STARTUP_FINISHED)


def orderly(at: float, verb: str, message: str = "") -> tuple[Line, ...]:
    """A shutdown in good order that logind carries out at `at`; its last line comes some four seconds later.

    `message` is what `shutdown` was given to tell the users; what is scheduled is announced when it is scheduled.
    """
    said, field, _ = VERBS[verb]
    announced = f"The system will {ANNOUNCE[verb]} now!"
    lines = [] if message else [Line(at - 0.02, LOGIND, announced, ANNOUNCED, NOTICE, (("OPERATOR", "root"),))]
    words = f"{said} ({message})." if message else f"{said}."
    lines.append(Line(at, LOGIND, words, SHUTTING_DOWN, NOTICE, (("SHUTDOWN", field),)))
    return (*lines, *_stopping(at + 0.1, verb), *(() if verb == "soft-reboot" else last_words(at + 3.4)))


def _stopping(at: float, verb: str) -> Iterator[Line]:
    """Services and targets, from the first that is stopped to the last that is reached."""
    told = [
        ("Stopped target graphical.target - Graphical Interface.", STOPPED),
        ("Stopped target multi-user.target - Multi-User System.", STOPPED),
        *((f"Stopping {unit} - {words}...", STOPPING) for unit, words in SERVICES),
        *((f"Stopped {unit} - {words}.", STOPPED) for unit, words in SERVICES),
        ("Stopped target basic.target - Basic System.", STOPPED),
        ("Stopped target sysinit.target - System Initialization.", STOPPED),
        ("Stopping systemd-update-utmp.service - Record System Boot/Shutdown in UTMP...", STOPPING),
        ("Stopped systemd-update-utmp.service - Record System Boot/Shutdown in UTMP.", STOPPED),
        ("Stopped target local-fs.target - Local File Systems.", STOPPED),
        *((f"Reached target {unit} - {words}.", STARTED) for unit, words in LAST_TARGETS),
        (f"Finished systemd-{verb}.service - {VERBS[verb][2]}.", STARTED),
        (f"Reached target {verb}.target - {VERBS[verb][2]}.", STARTED),
    ]
    for number, (message, message_id) in enumerate(told):
        yield Line(at + number * 0.14, INIT, message, message_id)


def last_words(at: float) -> Iterator[Line]:
    """What the first process and journald say at the very end, in 0.6 s, however the shutdown was asked for.

    The kernel complains of the watchdog whenever the first process hands it over to its successor.
    """
    for number, message in enumerate(("Shutting down.", WATCHDOG, WATCHDOG_SET)):
        yield Line(at + number * 0.01, INIT, message)
    yield Line(at + 0.04, KERNEL, "watchdog: watchdog0: watchdog did not stop!", level=CRITICAL)
    for number, message in enumerate(
        (WATCHDOG, WATCHDOG_SET, "Syncing filesystems and block devices.", "Sending SIGTERM to remaining processes...")
    ):
        yield Line(at + 0.3 + number * 0.06, SHUTDOWN, message, level=INFO)
    yield Line(at + 0.58, JOURNALD_EARLY, "Received SIGTERM from PID 1 (systemd-shutdow).")
    yield Line(at + 0.59, JOURNALD, "Journal stopped", JOURNAL_STOPPED)


def signed_in(at: float) -> Iterator[Line]:
    """Somebody comes in over SSH."""
    key = f"Accepted publickey for {ADMIN} from {DESK} port 50514 ssh2: ED25519 SHA256:simulated"
    yield Line(at, SSHD, key)
    yield Line(at + 0.2, LOGIND, f"New session 7 of user {ADMIN}.")


def commanded(at: float, command: str) -> Iterator[Line]:
    """Somebody runs a command by way of sudo."""
    yield Line(at, SUDO, f"   {ADMIN} : TTY=pts/0 ; PWD=/home/{ADMIN} ; USER=root ; COMMAND={command}", level=NOTICE)
    yield Line(at + 0.01, SUDO, f"pam_unix(sudo:session): session opened for user root(uid=0) by {ADMIN}(uid=1000)")


def served(start: float, end: float, step: float) -> Iterator[Line]:
    """A model that answers requests from `start` to `end`."""
    at, number = start, 0
    while at < end:
        speed = 2_310 + number * 37 % 160
        yield Line(at, SERVING, f"Engine 000: Avg generation throughput: {speed / 10:.1f} tokens/s, Running: 4 reqs")
        at, number = at + step, number + 1
