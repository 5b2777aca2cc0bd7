"""What protects the node, and what it leaves open. Names and settings only: no key, no password, no hash of one."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from diag.nodekit.accounts import GROUP, PASSWD, groups, members, users
from diag.nodekit.apt_conf import CONF_FOLDER, automatic_updates
from diag.nodekit.encryption import root_encryption
from diag.nodekit.facet import Facet, Look
from diag.nodekit.firewall import LIST_CHAINS, UFW, base_chains, ufw_enabled, ufw_input
from diag.nodekit.judge import Trouble
from diag.nodekit.listening import PROC_NET, SS, Listener, ephemeral, listeners, parse_ss
from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.sshd import EFFECTIVE, SSHD_CONFIG, Policy, parse_effective, read_files
from diag.nodekit.vocabulary import UnknownReason

EFI = "/sys/firmware/efi"
EFI_VARIABLES = f"{EFI}/efivars"
EFI_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
SECURITY = "/sys/kernel/security"
VULNERABILITIES = "/sys/devices/system/cpu/vulnerabilities"
SUDOERS = "/etc/sudoers.d"
LIST_SUDOERS = ("/usr/bin/ls", "-1", SUDOERS)
ROOT_PASSWORD = ("/usr/bin/passwd", "-S", "root")
PASSWORD_STATES = {"L": "locked", "LK": "locked", "NP": "none", "P": "set", "PS": "set"}
PRIVILEGED = ("admin", "docker", "lxd", "sudo", "wheel")  # to be in one of these is to be root
UNATTENDED = "/usr/bin/unattended-upgrade"
MAX_LISTENERS = 300
SYSCTLS = (
    "kernel.kptr_restrict", "kernel.dmesg_restrict", "kernel.unprivileged_userns_clone",
    "kernel.apparmor_restrict_unprivileged_userns", "kernel.yama.ptrace_scope", "kernel.unprivileged_bpf_disabled",
    "kernel.randomize_va_space", "kernel.perf_event_paranoid", "kernel.kexec_load_disabled", "kernel.modules_disabled",
    "kernel.sysrq", "fs.protected_hardlinks", "fs.protected_symlinks", "fs.suid_dumpable", "net.ipv4.ip_forward",
    "net.ipv4.tcp_syncookies", "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.all.accept_redirects",
    "net.ipv6.conf.all.forwarding",
)  # fmt: skip

FACET = Facet(title="Security", elevated=(EFFECTIVE, LIST_SUDOERS, ROOT_PASSWORD, SS, LIST_CHAINS))


def collect(look: Look) -> dict[str, Any]:
    machine = look.machine
    return {
        "root_encryption": look.at("root_encryption", lambda: _encryption(machine), "/sys/class/block"),
        "lockdown": look.at("lockdown", lambda: _lockdown(machine), f"{SECURITY}/lockdown"),
        "security_modules": look.at("security_modules", lambda: _security_modules(machine), f"{SECURITY}/lsm"),
        "apparmor_enabled": look.at(
            "apparmor_enabled", lambda: _flag(machine, "/sys/module/apparmor/parameters/enabled")
        ),
        "ima_present": look.at("ima_present", lambda: machine.exists(f"{SECURITY}/ima"), SECURITY),
        "module_signatures_enforced": look.at(
            "module_signatures_enforced", lambda: _flag(machine, "/sys/module/module/parameters/sig_enforce")
        ),
        "uefi": look.at("uefi", lambda: machine.exists(EFI), EFI),
        "secure_boot": look.at("secure_boot", partial(_efi_flag, machine, "SecureBoot"), EFI_VARIABLES),
        "setup_mode": look.at("setup_mode", partial(_efi_flag, machine, "SetupMode"), EFI_VARIABLES),
        "tpm_version": look.at("tpm_version", lambda: _tpm(machine), "/sys/class/tpm"),
        "ssh": _ssh(look),
        "login_users": look.at("login_users", lambda: _login_users(machine), PASSWD),
        "root_users": look.at("root_users", lambda: _names(user.name for user in users(machine) if user.uid == 0)),
        "privileged_groups": look.at("privileged_groups", lambda: _privileged(machine), GROUP),
        "sudoers_files": look.at("sudoers_files", lambda: _sudoers(machine), SUDOERS),
        "root_password": look.at("root_password", lambda: _root_password(machine), " ".join(ROOT_PASSWORD)),
        "automatic_updates": look.at("automatic_updates", lambda: _automatic_updates(machine), CONF_FOLDER),
        "firewall": _firewall(look),
        "listening": _listening(look),
        "sysctls": look.at("sysctls", lambda: _sysctls(machine), "/proc/sys"),
        "cpu_vulnerabilities": look.at("cpu_vulnerabilities", lambda: _vulnerabilities(machine), VULNERABILITIES),
    }


def _encryption(machine: Machine) -> dict[str, Any]:
    found = root_encryption(machine)
    return {"encrypted": found.kind is not None, "kind": found.kind, "device": found.device[:120]}


def _lockdown(machine: Machine) -> str | None:
    """The mode in brackets of `none [integrity] confidentiality`."""
    text = machine.read_or_none(f"{SECURITY}/lockdown")
    if text is None:
        return None
    match = re.search(r"\[(\w+)\]", text)
    if match is None:
        raise ValueError(f"{SECURITY}/lockdown marks no mode")
    return match[1][:120]


def _security_modules(machine: Machine) -> list[str] | None:
    text = machine.read_or_none(f"{SECURITY}/lsm")
    return None if text is None else _names(text.split(","))


def _flag(machine: Machine, path: str) -> bool | None:
    text = machine.read_or_none(path)
    if text is None:
        return None
    answer = {"Y": True, "1": True, "N": False, "0": False}.get(text.strip())
    if answer is None:
        raise ValueError(f"{path} is neither yes nor no")
    return answer


def _efi_flag(machine: Machine, name: str) -> bool:
    """Four bytes of attributes, then 0 or 1 (UEFI specification, global variables)."""
    if not machine.exists(EFI):
        raise NotApplicable("this machine did not boot through UEFI")
    path = f"{EFI_VARIABLES}/{name}-{EFI_GLOBAL}"
    if not machine.exists(path):
        if not machine.names(EFI_VARIABLES):
            raise Unevaluated(UnknownReason.PRECONDITION, f"{EFI_VARIABLES} lists nothing")
        raise NotApplicable(f"the firmware has no {name}")
    content = machine.read_bytes(path, 6)
    if len(content) != 5 or content[4] > 1:
        raise ValueError(f"{path} is not four bytes of attributes and a 0 or 1")
    return bool(content[4])


def _tpm(machine: Machine) -> int | None:
    names = [name for name in machine.names("/sys/class/tpm") if name.startswith("tpm")]
    return int(machine.read(f"/sys/class/tpm/{names[0]}/tpm_version_major")) if names else None


def _ssh(look: Look) -> dict[str, Any] | None:
    found = look.at("ssh", lambda: _policy(look), SSHD_CONFIG)
    if found is None:
        return None
    policy, source, lacking = found
    if lacking is not None:
        for field in ("ssh.source", "ssh.settings"):
            what = f"{lacking.summary}; what the files say stands in place of what holds"
            look.missing(field, lacking.reason or UnknownReason.PRECONDITION, what, " ".join(EFFECTIVE))
    if policy.unreadable:
        what = f"{policy.unreadable} may not be read; what comes after it is left out"
        look.missing("ssh.settings", UnknownReason.NOT_PERMITTED, what, policy.unreadable)
    return {"source": source, "settings": policy.settings, "match_blocks": policy.match_blocks}


def _policy(look: Look) -> tuple[Policy, str, Trouble | None]:
    """What holds, or else what the files say, and then why it is not known what holds.

    A server without `sshd -T` has no other settings than those in its files.
    """
    machine = look.machine
    if not machine.exists(SSHD_CONFIG):
        raise NotApplicable("there is no SSH server")
    ran, trouble = look.tried(lambda: machine.run(EFFECTIVE, seconds=4.0, elevate=True))
    files, denied = look.tried(lambda: read_files(machine))
    if files is None or files.match_blocks is None:
        reason = (denied and denied.reason) or UnknownReason.NOT_PERMITTED
        where = (files and files.unreadable) or SSHD_CONFIG
        look.missing("ssh.match_blocks", reason, denied.summary if denied else f"{where} may not be read", where)
    if ran is not None and ran.exit_status == 0:
        policy = parse_effective(ran.stdout)
        policy.match_blocks = None if files is None else files.match_blocks  # `sshd -T` does not tell them
        policy.unreadable = None
        return policy, "sshd -T", None
    if files is None:
        raise Unevaluated((denied and denied.reason) or UnknownReason.IO_ERROR, denied.summary if denied else "")
    if ran is not None:  # where a socket starts sshd and its run-time folder is not there yet
        trouble = Trouble(UnknownReason.PRECONDITION, f"sshd -T ended with {ran.exit_status}: {one_line(ran.stderr)}")
    elif trouble is not None and trouble.reason == UnknownReason.MISSING_TOOL:
        trouble = None
    return files, "files", trouble


def _login_users(machine: Machine) -> list[str]:
    return _names(user.name for user in users(machine) if user.may_log_in)


def _privileged(machine: Machine) -> dict[str, list[str]]:
    everybody = users(machine)
    return {group.name: _names(members(group, everybody)) for group in groups(machine) if group.name in PRIVILEGED}


def _sudoers(machine: Machine) -> list[str]:
    try:
        return _names(machine.names(SUDOERS))
    except PermissionError as denied:
        ran = machine.run(LIST_SUDOERS, seconds=2.0, elevate=True)
        machine.forgive(denied)
    if ran.exit_status != 0:
        raise Unevaluated(UnknownReason.IO_ERROR, one_line(ran.stderr))
    return _names(ran.stdout.splitlines())


def _root_password(machine: Machine) -> str:
    ran = machine.run(ROOT_PASSWORD, seconds=2.0, elevate=True)
    fields = ran.stdout.split()
    state = PASSWORD_STATES.get(fields[1]) if len(fields) > 1 and fields[0] == "root" else None
    if ran.exit_status != 0 or state is None:
        raise ValueError("passwd -S does not tell the state of root's password")
    return state


def _automatic_updates(machine: Machine) -> dict[str, Any]:
    settings = (automatic_updates(machine) or {}).get("periodic", {})
    off = ("", "0")
    enabled = settings.get("enable", "1") not in off
    lists, upgrades = (settings.get(key, "0") not in off for key in ("update-package-lists", "unattended-upgrade"))
    installed = machine.exists(UNATTENDED)
    return {"package_lists": enabled and lists, "unattended_upgrades": enabled and upgrades and installed}


def _firewall(look: Look) -> dict[str, Any]:
    machine = look.machine
    return {
        "ufw_enabled": look.at("firewall.ufw_enabled", lambda: ufw_enabled(machine), UFW),
        "ufw_input": look.at("firewall.ufw_input", lambda: ufw_input(machine)),
        "base_chains": look.at("firewall.base_chains", lambda: base_chains(machine), " ".join(LIST_CHAINS)),
    }


def _listening(look: Look) -> dict[str, Any] | None:
    machine = look.machine
    found = look.at("listening", lambda: listeners(machine), PROC_NET)
    if found is None:
        return None
    passing = look.at("ephemeral_listeners", lambda: ephemeral(machine), also=("listening",)) or range(0)
    look.volatile["ephemeral_listeners"] = sorted(one.name for one in found if one.port in passing)[:MAX_LISTENERS]
    lasting = sorted((one for one in found if one.port not in passing), key=lambda one: one.name)[:MAX_LISTENERS]
    programs = look.at("listening.*.programs", lambda: _programs(machine), " ".join(SS))
    names = look.at("listening.*.user", lambda: _names_by_uid(machine), PASSWD) or {}
    return {one.name: _listener(one, names, programs) for one in lasting}


def _names_by_uid(machine: Machine) -> dict[int, str]:
    """Of two users with one uid the first counts, as getpwuid(3) has it."""
    return {user.uid: user.name for user in reversed(users(machine))}


def _listener(one: Listener, names: dict[int, str], programs: dict[str, list[str]] | None) -> dict[str, Any]:
    return {"user": names.get(one.uid), "programs": None if programs is None else programs.get(one.name, [])}


def _programs(machine: Machine) -> dict[str, list[str]]:
    ran = machine.run(SS, seconds=3.0, elevate=True)
    if ran.exit_status != 0:
        raise Unevaluated(UnknownReason.PRECONDITION, f"ss ended with {ran.exit_status}: {one_line(ran.stderr)}")
    return parse_ss(ran.stdout)


def _sysctls(machine: Machine) -> dict[str, int]:
    found = {}
    for name in SYSCTLS:
        text = machine.read_or_none(f"/proc/sys/{name.replace('.', '/')}")
        if text is not None:
            found[name] = int(text)
    return found


def _vulnerabilities(machine: Machine) -> dict[str, str]:
    names = machine.names(VULNERABILITIES)[:100]
    return {name[:120]: one_line(machine.read(f"{VULNERABILITIES}/{name}", 4096))[:1000] for name in names}


def _names(names: Any) -> list[str]:
    return sorted({str(name).strip()[:120] for name in names if str(name).strip()})[:1000]
