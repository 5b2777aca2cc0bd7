"""Which proxies apt and the login environment use: host names only, because proxy URLs hold passwords."""

from __future__ import annotations

import re

from diag.nodekit.apt_conf import APT_CONF, CONF_FOLDER, FILE_NAME, MAX_FILES, settings
from diag.nodekit.machine import Machine
from diag.nodekit.words import name

ENVIRONMENT = "/etc/environment"
APT_PROXY = re.compile(r"acquire::(\w+)::proxy(::.*)?")
ASSIGNMENT = re.compile(r"""(?:export\s+)?((?:https?|ftp|all)_proxy)\s*=\s*(.*)""", re.IGNORECASE)
HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,110}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]{2,45}\]")
DIRECT = "direct"  # apt's word for no proxy


def apt_files(machine: Machine) -> list[str]:
    """The configuration files of apt in the order in which it reads them."""
    listed = [entry for entry in machine.names(CONF_FOLDER)[:MAX_FILES] if FILE_NAME.fullmatch(entry)]
    return [*(f"{CONF_FOLDER}/{entry}" for entry in listed), APT_CONF]


def apt_proxies(machine: Machine, path: str) -> dict[str, str]:
    """Proxy hosts of one file by `apt.http` or `apt.https`; raises OSError."""
    return parse_apt(machine.read_or_none(path) or "")


def parse_apt(text: str) -> dict[str, str]:
    """Proxy hosts by protocol; apt nests names in braces or joins them with `::`."""
    found = {}
    for option, setting in settings(text):
        match = APT_PROXY.fullmatch(option.lower())
        host = None if match is None or match[2] else proxy_host(setting)
        if match is not None and host is not None:
            found[name(f"apt.{match[1]}")] = host
    return found


def environment_proxies(machine: Machine) -> dict[str, str]:
    """Proxy hosts of /etc/environment by `environment.http_proxy`; raises OSError."""
    return parse_environment(machine.read_or_none(ENVIRONMENT) or "")


def parse_environment(text: str) -> dict[str, str]:
    """Proxy hosts by variable in small letters; nothing else of the file is kept."""
    matches = (ASSIGNMENT.fullmatch(line.strip()) for line in text.splitlines())
    hosts = {match[1].lower(): proxy_host(match[2].strip("\"' ")) for match in matches if match}
    return {f"environment.{variable}": host for variable, host in hosts.items() if host is not None}


def proxy_host(url: str) -> str | None:
    """The host of a proxy URL, None where there is none or it cannot be told from a password."""
    if url.lower() == DIRECT:
        return DIRECT
    # Whatever stands before the last @ may be a password, slashes and all.
    rest = url.rpartition("@")[2] if "@" in url else url.partition("://")[2] or url
    match = HOST.match(rest)
    if match is None or rest[match.end() :].partition(":")[0].strip("/"):
        return None
    return match[0].strip("[]").lower()
