"""The commands that let tools of other makers report, word for word those that a node is asked to run.

A test holds them against the catalogue of collectors: on a lab node, too, sudo knows exact commands only.
"""

BUG_REPORT, SOS = "/usr/bin/nvidia-bug-report.sh", "/usr/bin/sos"
BUG_REPORT_UNIT, SOS_UNIT = "sparkctl-nvidia-bug-report", "sparkctl-sosreport"
MELLANOX = ("mst", "mlxlink", "mlxreg", "mstdump", "resourcedump")
_NVIDIA = ("/dev/nvidiactl", "/dev/nvidia0")
_PLUGINS = (
    "block,boot,date,devices,dpkg,filesys,grub2,hardware,kdump,md,memory,numa,nvidia,nvme,pci,process,usb"
)  # fmt: skip


def _service(unit: str, tool: tuple[str, ...], given: dict[str, int], *more: str) -> tuple[str, ...]:
    """`given` are the limits that differ; `more` are properties of what it may open and may not find."""
    devices = [one for one in more if one.startswith("DeviceAllow")]
    hidden = [one for one in more if not one.startswith("DeviceAllow")]
    properties = (
        f"RuntimeMaxSec={given['seconds']}", "TimeoutStopSec=20", "KillSignal=SIGKILL", f"RuntimeDirectory={unit}",
        "RuntimeDirectoryMode=0700", f"ExecStopPost=/usr/bin/tar --create --file=- --directory=/run {unit}",
        f"MemoryMax={given['memory']}", "MemorySwapMax=0", f"LimitFSIZE={given['bytes']}", "TasksMax=128",
        "CPUQuota=100%", "Nice=19", "IOSchedulingClass=idle", "ProtectSystem=strict", "ProtectHome=yes",
        "PrivateNetwork=yes", "NoNewPrivileges=yes",
        "CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_SYS_ADMIN CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYSLOG",
        "ProtectKernelTunables=yes", "ProtectKernelModules=yes", "ProtectControlGroups=yes", "DevicePolicy=closed",
        *devices, "TemporaryFileSystem=/tmp:size=16M,mode=1777", "TemporaryFileSystem=/var/tmp:size=16M,mode=1777",
        "InaccessiblePaths=-/etc/shadow", "InaccessiblePaths=-/etc/gshadow", "InaccessiblePaths=-/etc/ssl/private",
        "InaccessiblePaths=/dev/shm", *hidden,
    )  # fmt: skip
    start = ("/usr/bin/systemd-run", "--pipe", "--wait", "--collect", "--service-type=exec", f"--unit={unit}")
    return (*start, *(f"--property={one}" for one in properties), "--", *tool)


MAKE_BUG_REPORT = _service(
    BUG_REPORT_UNIT,
    (BUG_REPORT, "--safe-mode", "--output-file", f"/run/{BUG_REPORT_UNIT}/nvidia-bug-report.log"),
    {"seconds": 120, "memory": 512 * 2**20, "bytes": 16 * 2**20},
    *(f"DeviceAllow={device}" for device in _NVIDIA),
    *(f"InaccessiblePaths=-/usr/bin/{tool}" for tool in MELLANOX),
)
MAKE_SOS = _service(
    SOS_UNIT,
    (
        SOS, "report", "--batch", "--quiet", "--build", "--no-report", "--no-env-vars", "--tmp-dir", f"/run/{SOS_UNIT}",
        "--threads", "1", "--log-size", "1", "--plugin-timeout", "60", "--only-plugins", _PLUGINS,
    ),
    {"seconds": 300, "memory": 1024 * 2**20, "bytes": 24 * 2**20},
    *(f"DeviceAllow={device}" for device in (*_NVIDIA, "/dev/nvme0 r", "/dev/nvme0n1 r")),
)  # fmt: skip
