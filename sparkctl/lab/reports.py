"""What the tools of other makers report on a simulated node, and how they fail."""

import gzip
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.planted import secret_lines
from sparkctl.lab.report_commands import BUG_REPORT, BUG_REPORT_UNIT, MAKE_BUG_REPORT, MAKE_SOS, SOS, SOS_UNIT
from sparkctl.lab.secrets import secret
from sparkctl.lab.tree import SUDO, Tree

RULER = "_" * 44
BLOB = "VGhpcyBpcyBhIHNpbXVsYXRlZCBkdW1wIG9mIGEgZHJpdmVyIHdob3NlIGZvcm0gbm9ib2R5IGtu"
HALF = 0.6
BOMB = 64 * 2**20  # bytes that a few of gzip become
FILLED = 200_000  # bytes


@dataclass(frozen=True)
class _Ended:
    """How the service of a tool ended: systemd's word, and the exit status of systemd-run (run.c)."""

    result: str = "success"
    status: int = 0


_ENDS = {"hang": _Ended("timeout", 1), "fill": _Ended("signal", 255), "torn": _Ended("oom-kill", 1)}


def add_reports(tree: Tree, node: NodeModel) -> None:
    """The tools, and what comes when each is made to report; `node.reports` says how they behave."""
    if node.reports == "absent":
        return
    tools = {SOS: (MAKE_SOS, SOS_UNIT, "sos.tar", _sos(node))}
    if not node.plain_vm:
        tools[BUG_REPORT] = (MAKE_BUG_REPORT, BUG_REPORT_UNIT, "bug-report.tar", _bug_report(node))
    ended = _ENDS.get(node.reports, _Ended())
    said = f"Finished with result: {ended.result}\nMain processes terminated with: code=exited/status=0\n"
    tree.files[MAKE_SOS[0]] = "# simulated\n"
    for tool, (argv, unit, name, files) in tools.items():
        tree.files[tool] = "# simulated: the lab tells what it prints\n"
        tree.files[f"/cmd/{name}"] = f"simulated {tool} is at work\n".encode() + _archive(unit, files, node.reports)
        for words in (argv, (*SUDO, *argv)):
            stderr = f"Running as unit: {unit}.service\n{said}"
            tree.commands.append(
                {"argv": [*words], "stdout": "", "stderr": stderr, "rc": ended.status, "stdout_file": name}
            )


Files = dict[str, bytes]


def _archive(unit: str, files: Files, behaviour: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(_folder(unit))
        for path, content in (files | _more(behaviour)).items():
            _add(tar, f"{unit}/{path}", content)
        if behaviour == "hostile":
            _hostile(tar, unit)
    made = out.getvalue()
    return made[: int(len(made) * HALF)] if behaviour in ("hang", "torn") else made


def _more(behaviour: str) -> Files:
    return {"filled": b"0123456789abcde\n" * (FILLED // 16)} if behaviour == "fill" else {}


def _folder(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, 0o700
    return info


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _hostile(tar: tarfile.TarFile, unit: str) -> None:
    """Names that lead elsewhere, links, a device, and a little that unpacks to much."""
    for name in (
        "../../etc/cron.d/owned",
        "/etc/cron.d/owned",
        f"{unit}/../owned",
        f"{unit}/a/./b",
        f"{unit}/\x1b[2J",
    ):
        _add(tar, name, b"* * * * * root false # simulated\n")
    for kind, name in ((tarfile.SYMTYPE, "passwd"), (tarfile.LNKTYPE, "again"), (tarfile.CHRTYPE, "null")):
        info = tarfile.TarInfo(f"{unit}/{name}")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    _add(tar, f"{unit}/bomb.gz", gzip.compress(b"simulated\n" * (BOMB // 10), 9, mtime=0))


def _bug_report(node: NodeModel) -> Files:
    """One file of many gzip streams, as the tool appends section after section."""
    sections = [
        "Start of NVIDIA bug report log file. Simulated.\n",
        f"uname: Linux {node.name} 6.14.0-1015-nvidia aarch64\ncommand line flags: --safe-mode\n",
        f"*** /proc/driver/nvidia/version\nNVRM version: simulated {node.driver or 'none'}\n",
        f"dmidecode\n\tSerial Number: {node.serial}\n\tUUID: {node.uuid}\n",
        f"/usr/bin/nvidia-debugdump --ioctl --nvlogonly\n\n{BLOB}\n{BLOB}\nb3dz\n",
        "\n".join(_secrets(node)) + "\n",
        "Skipping: nvidia-smi, vulkaninfo etc. Commands\n",
    ]
    return {
        "nvidia-bug-report.log.gz": b"".join(gzip.compress(f"{RULER}\n\n{one}".encode(), mtime=0) for one in sections)
    }


def _sos(node: NodeModel) -> Files:
    top = f"sosreport-{node.name}-2026-03-02-simulat"
    files = {
        "version.txt": "sosreport: 4.7.2 (simulated)\n",
        "etc/hostname": f"{node.name}\n",
        "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {node.name}\n",
        "proc/cmdline": "BOOT_IMAGE=/vmlinuz simulated\n",
        "sos_commands/block/lsblk_-t": "NAME ALIGNMENT\nnvme0n1 0\n",
        "sos_commands/process/ps_auxwww": "USER PID COMMAND\nroot 1 /sbin/init\n" + "\n".join(_secrets(node)) + "\n",
        "sos_logs/sos.log": "2026-03-02 10:00:00,000 INFO: simulated\n",
    }
    if node.secrets:
        files[f"etc/systemd/system/{secret(node, 'host')}-agent.service"] = f"[Service]\nUser={secret(node, 'user')}\n"
    binary = {"sys/firmware/acpi/tables/FACP": b"FACP\0\1\2\3" + bytes(100)}
    return {f"{top}/{path}": content.encode() for path, content in files.items()} | {
        f"{top}/{path}": content for path, content in binary.items()
    }


def _secrets(node: NodeModel) -> Iterator[str]:
    return secret_lines(node) if node.secrets else iter(())
