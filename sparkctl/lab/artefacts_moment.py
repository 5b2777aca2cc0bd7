"""What a simulated node does at the moment, for its bundle: processes, the GPU, interrupts, sessions, jobs."""

from collections.abc import Iterator
from dataclasses import dataclass

from sparkctl.lab.node_model import VBIOS, NodeModel
from sparkctl.lab.recordings_gpu import gpu_values, record_smi
from sparkctl.lab.tree import Tree

COLUMNS = "pid,ppid,user:20,stat,wchan:32,nlwp,ni,psr,pcpu,pmem,rss,vsz,lstart,etime,args"
PROCESSES = ("ps", "-eww", "-o", COLUMNS)
THREADS = ("ps", "-eLww", "-o", "pid,tid,stat,psr,pcpu,wchan:32,comm")
STACKS = (
    "/usr/bin/find", "/proc", "-mindepth", "2", "-maxdepth", "2", "-name", "stack", "-exec", "/usr/bin/tail", "-v",
    "-n", "+1", "{}", "+",
)  # fmt: skip
OPEN_FILES = ("find", "/proc", "-mindepth", "2", "-maxdepth", "2", "-name", "fd", "-printf", "%s %h\\n")
STARTED = "Thu Jan  1 00:00:00 1970"  # simulated: no program judges it


@dataclass(frozen=True)
class Process:
    """A process of a simulated node; `waits` is the function of the kernel that it sleeps in."""

    pid: int
    user: str
    comm: str
    command: str
    waits: str = "do_epoll_wait"
    state: str = "Ss"


ALWAYS = (
    Process(1, "root", "systemd", "/sbin/init splash"),
    Process(2, "root", "kthreadd", "[kthreadd]", "kthreadd", "S"),
    Process(498, "root", "systemd-journal", "/usr/lib/systemd/systemd-journald"),
    Process(911, "systemd-timesync", "systemd-timesyn", "/usr/lib/systemd/systemd-timesyncd"),
    Process(1203, "root", "systemd-logind", "/usr/lib/systemd/systemd-logind"),
    Process(1310, "root", "nvidia-persiste", "/usr/bin/nvidia-persistenced --user nvidia-persistenced"),
    Process(1377, "root", "dockerd", "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"),
    Process(1402, "root", "sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", "do_sys_poll"),
)


def processes(node: NodeModel) -> tuple[Process, ...]:
    """Every process, by number: what always runs, and what uses the GPU."""
    serving = (Process(pid, "ops", name[:15], name, "futex_wait_queue", "Rl") for pid, name, _ in node.gpu.processes)
    return (*ALWAYS, *serving)


def add_moment(tree: Tree, node: NodeModel) -> None:
    """Processes, GPU, interrupts, open files, sessions, jobs of systemd."""
    _processes(tree, node)
    _gpu(tree, node)
    _kernel(tree, node)
    _sessions(tree, node)


def _processes(tree: Tree, node: NodeModel) -> None:
    running = processes(node)
    rows = [
        f"{one.pid:>7} {1 if one.pid > 2 else 0:>7} {one.user:<20} {one.state:<4} {one.waits:<32} {1:>4} {0:>3} "
        f"{one.pid % 20:>3} {0.1:>4} {0.1:>4} {18_112:>7} {260_044:>8} {STARTED} {int(node.uptime)} {one.command}"
        for one in running
    ]
    header = "    PID    PPID USER                 STAT WCHAN                            NLWP  NI PSR %CPU %MEM   RSS"
    tree.record(PROCESSES, "\n".join([f"{header}      VSZ                  STARTED     ELAPSED COMMAND", *rows, ""]))
    rows = [
        f"{one.pid:>7} {one.pid:>7} {one.state:<4} {one.pid % 20:>3} 0.1 {one.waits:<32} {one.comm}" for one in running
    ]
    tree.record(
        THREADS, "\n".join(["    PID     TID STAT PSR %CPU WCHAN                            COMMAND", *rows, ""])
    )
    stacks = (f"==> /proc/{one.pid}/stack <==\n[<0>] {one.waits}+0x0/0x0\n" for one in running)
    tree.record_for_root(STACKS, "\n".join(stacks))
    tree.record(OPEN_FILES, "".join(f"{12 + one.pid % 40} /proc/{one.pid}\n" for one in running))
    tree.put("/proc/sys/fs", **{"file-nr": "4480\t0\t9223372036854775807"})


def _gpu(tree: Tree, node: NodeModel) -> None:
    record_smi(tree, node, ("nvidia-smi", "-q"), "".join(f"{line}\n" for line in _query(node)))
    rows = [
        f"    0 {pid:>10}     C      -      -      -      -      -      -    {name}"
        for pid, name, _ in node.gpu.processes
    ]
    header = "# gpu         pid   type     sm    mem    enc    dec    jpg    ofa    command"
    record_smi(tree, node, ("nvidia-smi", "pmon", "-c", "1"), "\n".join([header, *rows, ""]))
    gpu = node.gpu
    sample = (
        f"    0 {gpu.watts:>5.0f} {gpu.celsius:>5}     - {gpu.utilisation:>5}     0     0     0     -  {gpu.sm_mhz:>5}"
    )
    header = "# gpu    pwr  gtemp  mtemp     sm    mem    enc    dec   mclk   pclk"
    record_smi(tree, node, ("nvidia-smi", "dmon", "-c", "1"), f"{header}\n{sample}\n")


def _query(node: NodeModel) -> Iterator[str]:
    values, gpu = gpu_values(node), node.gpu
    absent = "N/A"
    yield "\n==============NVSMI LOG (simulated)==============\n"
    yield f"Driver Version                            : {node.driver}"
    yield "CUDA Version                              : 13.0\n"
    yield f"Attached GPUs                             : 1\nGPU {values['pci.bus_id']}"
    for name, value in (
        ("Product Name", values["name"]), ("Product Architecture", "Blackwell"), ("Persistence Mode", "Enabled"),
        ("GPU UUID", values["uuid"]), ("VBIOS Version", VBIOS), ("Performance State", values["pstate"]),
        ("GPU Recovery Action", values["gpu_recovery_action"]), ("Fan Speed", absent),
    ):  # fmt: skip
        yield f"    {name:<38}: {value}"
    yield "    Clocks Event Reasons"
    for name, reason in (
        ("Idle", "gpu_idle"),
        ("SW Power Cap", "sw_power_cap"),
        ("HW Thermal Slowdown", "hw_thermal_slowdown"),
        ("SW Thermal Slowdown", "sw_thermal_slowdown"),
    ):
        yield f"        {name:<34}: {'Active' if reason in gpu.reasons else 'Not Active'}"
    for name, value in (
        ("FB Memory Usage", absent), ("GPU Current Temp", f"{gpu.celsius} C"),
        ("Average Power Draw", f"{gpu.watts:.2f} W"), ("Gpu", f"{gpu.utilisation} %"),
        ("SM", f"{gpu.sm_mhz} MHz"), ("Max Customer Boost", absent),
    ):  # fmt: skip
        yield f"    {name:<38}: {value}"
    for pid, name, mib in gpu.processes:
        yield f"        Process ID                        : {pid}\n            Name                          : {name}"
        yield f"            Used GPU Memory               : {mib} MiB"


def _kernel(tree: Tree, node: NodeModel) -> None:
    header = " " * 11 + "".join(f"{f'CPU{core}':<11}" for core in node.cores)
    row = "".join(f"{1000 + core * 37:<11}" for core in node.cores)
    names = ("GICv3  27 Level     arch_timer", "ITS-MSI 524288 Edge      nvme0q0", "ITS-MSI 1048576 Edge      enP7s7")
    lines = [f"{number:>4}:     {row}{words}" for number, words in zip((13, 45, 112), names, strict=True)]
    tree.put("/proc", interrupts="\n".join([header, *lines]))
    tree.put(
        "/proc", softirqs="\n".join([header, *(f"{name:>10}: {row}" for name in ("TIMER", "NET_RX", "BLOCK", "RCU"))])
    )
    tree.put(
        "/proc",
        buddyinfo="Node 0, zone   Normal   1201    844    512    201    144     88     61     30     21     14  23811",
    )
    if node.drive.state != "gone":
        tree.put(
            "/proc",
            diskstats=" 259       0 nvme0n1 812233 1022 88110022 41220 330112 9021 60118822 51220 0 88110 92440",
        )
    tree.put("/proc/net", sockstat="sockets: used 412\nTCP: inuse 9 orphan 0 tw 2 alloc 14 mem 3\nUDP: inuse 6 mem 2")
    tree.put(
        "/sys/devices/system/clocksource/clocksource0",
        current_clocksource="arch_sys_counter", available_clocksource="arch_sys_counter",
    )  # fmt: skip


def _sessions(tree: Tree, node: NodeModel) -> None:
    one, five, fifteen = node.load.average
    up = f"up {int(node.uptime // 86_400)} days,  1 user,  load average: {one:.2f}, {five:.2f}, {fifteen:.2f}"
    tree.record(("w", "-i"), f" 10:00:00 {up}\nUSER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU  WHAT\n"
                "ops      pts/0    192.0.2.200      09:12    2:04   0.04s  0.01s -bash\n")  # fmt: skip
    tree.record(
        ("loginctl", "list-sessions", "--no-pager"), "SESSION  UID USER SEAT TTY\n      7 1000 ops       pts/0\n"
    )
    tree.record(("systemctl", "list-jobs", "--no-pager"), "No jobs running.\n")
    tree.record(
        ("systemctl", "list-timers", "--all", "--no-pager", "--full"),
        "NEXT LEFT LAST PASSED UNIT               ACTIVATES\n- - - - fwupd-refresh.timer fwupd-refresh.service\n"
        "- - - - logrotate.timer     logrotate.service\n",
    )
