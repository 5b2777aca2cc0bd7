"""A report that a tool writes into a folder: made where the tool can change nothing, and fetched without a shell.

One transient service of systemd does it (systemd-run(1), systemd.exec(5)). The tool writes into a folder of `/run`,
which is memory; the service's last command prints that folder as a tar, also where the tool was ended at its limit;
then systemd removes the folder. All of that is the node's own work: it ends and cleans up whether or not anybody waits.
The service is `exec` and not `oneshot`, of which a limit of its run time would not hold (systemd.service(5)).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

ARCHIVE = "archive"  # the kind of what comes: a tar, which the bastion unpacks
TEMPORARY = "16M"  # of `/tmp`, and of `/var/tmp`
STOP_SECONDS = 20  # systemd's patience with each of: the tool that it kills, the tar that it starts
SLACK_SECONDS = 5
LEAST_SECONDS, MOST_SECONDS = 10, 1800
CHATTER = 256 * 1024  # bytes that a tool may print before the tar
NAME_BYTES = 100  # of the field in a tar's header that a name is padded to (POSIX ustar)
SUCCESS, TIMEOUT, NO_MEMORY = "success", "timeout", "oom-kill"  # how a service ended, as systemd names it
RESULT = "Finished with result: "
QUIET = (
    "Running as unit: ", "Main processes terminated with: ", "Service runtime: ", "CPU time consumed: ",
    "Memory peak: ", "IP traffic", "IO bytes",
)  # fmt: skip
"""What systemd-run says of every service."""
HIDDEN = ("-/etc/shadow", "-/etc/gshadow", "-/etc/ssl/private", "/dev/shm")  # noqa: S108 - it is kept from there
CAPABILITIES = "CAP_DAC_READ_SEARCH CAP_SYS_ADMIN CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYSLOG"
"""What reading takes, and chroot, without which some releases of sos run no command; none to load or configure."""


@dataclass(frozen=True)
class Report:
    """What `tool` writes into the folder of `unit`, as the entry `name`; `{folder}` in a word stands for that folder.

    `seconds` bound the tool, `limit` (bytes) what is brought of it, `memory` (bytes) the tool with all that it writes.
    `hidden` are paths that it must not find (with `-` where they may be absent), `devices` those that it may open.
    """

    name: str
    tool: tuple[str, ...]
    unit: str
    seconds: float
    limit: int
    memory: int
    hidden: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    kind: str = ARCHIVE

    @property
    def source(self) -> dict[str, object]:
        """Where it comes from, as the list of artefacts says it: the tool, without what surrounds it."""
        return {"argv": list(self._tool)}

    @property
    def longest(self) -> float:
        """The seconds that it may take in all."""
        return self.seconds + 2 * STOP_SECONDS + SLACK_SECONDS

    @property
    def elevated(self) -> tuple[tuple[str, ...], ...]:
        """What runs as root."""
        return (self.argv,)

    @property
    def argv(self) -> tuple[str, ...]:
        """The whole command."""
        properties = (*self._life(), *self._means(), *self._sight())
        words = tuple(f"--property={one}" for one in properties)
        return (*_START, f"--unit={self.unit}", *words, "--", *self._tool)

    @property
    def _tool(self) -> tuple[str, ...]:
        return tuple(word.replace("{folder}", f"/run/{self.unit}") for word in self.tool)

    def _life(self) -> tuple[str, ...]:
        return (
            f"RuntimeMaxSec={self.seconds:g}",
            f"TimeoutStopSec={STOP_SECONDS}",
            "KillSignal=SIGKILL",
            f"RuntimeDirectory={self.unit}",
            "RuntimeDirectoryMode=0700",
            f"ExecStopPost=/usr/bin/tar --create --file=- --directory=/run {self.unit}",
        )

    def _means(self) -> tuple[str, ...]:
        """What it may use. What it writes to memory counts as its memory."""
        return (
            f"MemoryMax={self.memory}",
            "MemorySwapMax=0",
            f"LimitFSIZE={self.limit}",
            "TasksMax=128",
            "CPUQuota=100%",
            "Nice=19",
            "IOSchedulingClass=idle",
        )

    def _sight(self) -> tuple[str, ...]:
        """What it may see and change: it reads the machine, and writes nowhere but to its folder and its own `/tmp`."""
        return (
            "ProtectSystem=strict",
            "ProtectHome=yes",
            "PrivateNetwork=yes",
            "NoNewPrivileges=yes",
            f"CapabilityBoundingSet={CAPABILITIES}",
            "ProtectKernelTunables=yes",
            "ProtectKernelModules=yes",
            "ProtectControlGroups=yes",
            "DevicePolicy=closed",
            *(f"DeviceAllow={device}" for device in self.devices),
            *(f"TemporaryFileSystem={folder}:size={TEMPORARY},mode=1777" for folder in ("/tmp", "/var/tmp")),  # noqa: S108
            *(f"InaccessiblePaths={path}" for path in (*HIDDEN, *self.hidden)),
        )

    def within(self, seconds: float) -> Report:
        """The same with another limit of time."""
        return replace(self, seconds=seconds)

    def archive_in(self, printed: bytes) -> bytes:
        """The tar behind what the tool printed; nothing where there is none."""
        start = printed.find(f"{self.unit}/".encode().ljust(NAME_BYTES, b"\0"))
        return b"" if start < 0 else printed[start:]


_START = ("/usr/bin/systemd-run", "--pipe", "--wait", "--collect", "--service-type=exec")


def result_in(said: str) -> tuple[str | None, str]:
    """How the service ended by systemd's word, None where it does not say; and the first line that complains."""
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith(QUIET)]
    result = next((line.removeprefix(RESULT) for line in lines if line.startswith(RESULT)), None)
    complaint = next((line for line in lines if not line.startswith(RESULT)), "")
    return result, complaint
