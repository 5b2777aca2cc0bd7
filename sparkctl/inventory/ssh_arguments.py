"""What `ansible_ssh_common_args` and its like say, as settings: options of OpenSSH's `ssh`.

Only the options that lead to another node, user, key or route matter; what tunes a connection is left aside.
"""

import shlex
from collections.abc import Iterator

from sparkctl.inventory.draft import Settings, Source
from sparkctl.inventory.problems import Where
from sparkctl.inventory.settings import read_list_setting, read_setting
from sparkctl.inventory.values import LISTS
from sparkctl.model.printable import printable

_LETTERS = {"J": "proxyjump", "F": "configfile", "i": "identityfile", "p": "port", "l": "user"}
_KEYS = {
    "proxyjump": "ssh.jump",
    "configfile": "ssh.config_file",
    "identityfile": "ssh.identity_files",
    "certificatefile": "ssh.certificate_files",
    "userknownhostsfile": "ssh.known_hosts_files",
    "port": "ssh.port",
    "user": "ssh.user",
    "hostname": "ssh.host",
}
_ALONE = frozenset("46ACaGgKkMNnqsTtVvXxYy")
_WITH_VALUE = frozenset("BbcDEeIJFLilmOopQRSWwP")
_TUNING = (
    "control",
    "serveralive",
    "connect",
    "compression",
    "forward",
    "preferredauth",
    "gssapi",
    "loglevel",
    "batchmode",
    "tcpkeepalive",
    "addkeys",
    "addressfamily",
    "ciphers",
    "macs",
    "kexalgorithms",
    "ipqos",
    "sendenv",
    "setenv",
    "identitiesonly",
    "pubkey",
    "password",
    "kbdinteractive",
    "requesttty",
    "escapechar",
    "hostkeyalgorithms",
)
_IGNORED = "It is left aside. Remove it, or set what you mean under `ssh:` of a fleet.yaml."


def read_ssh_arguments(text: str, where: Where, source: Source) -> Settings:
    """Return the settings that a string of ssh options stands for; what cannot be followed is noted as a problem."""
    try:
        words = shlex.split(text)
        options = list(_options(words))
    except ValueError as error:
        source.problems.error(where, f"the ssh arguments cannot be read: {error}", "Correct the quotation.")
        return {}
    lists: dict[str, list[str]] = {}
    settings: Settings = {}
    for name, value in options:
        key, texts = _meaning(name, value, where, source)
        if key in LISTS:
            lists.setdefault(key, []).extend(texts)
        elif key:
            setting = read_setting(source, key, texts[0], where)
            settings |= {key: setting} if setting else {}
    for key, texts in lists.items():
        setting = read_list_setting(source, key, texts, where)
        settings |= {key: setting} if setting else {}
    return settings


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each option as its long name in lower case and its value; raises ValueError on what is no option."""
    left = iter(words)
    for word in left:
        letter, rest = word[1:2], word[2:]
        if not word.startswith("-") or letter not in _ALONE | _WITH_VALUE:
            raise ValueError(f"{printable(word)} is not an option of ssh")
        if letter in _ALONE:
            continue
        value = rest or next(left, None)
        if value is None:
            raise ValueError(f"-{letter} has no value")
        if letter == "o":
            name, _, value = value.replace(" ", "=", 1).partition("=") if "=" not in value else value.partition("=")
            yield name.strip().lower(), value.strip()
        else:
            yield _LETTERS.get(letter, f"-{letter}"), value


def _meaning(name: str, value: str, where: Where, source: Source) -> tuple[str, list[str]]:
    """The setting an option stands for, or an empty key for one that is left aside."""
    if name == "proxycommand":
        return _proxy_command(value, where, source)
    if name == "stricthostkeychecking" or (name == "userknownhostsfile" and value == "/dev/null"):
        if value.lower() not in ("yes", "true", "ask"):
            message = "the ssh options would switch the check of host keys off, and sparkctl keeps it on"
            source.problems.warning(where, message, "Pin the host keys, or set `ssh: {host_key_policy: accept-new}`.")
        return "", []
    if name in _KEYS:
        return _KEYS[name], value.split() if name == "userknownhostsfile" else [value]
    if not name.startswith(_TUNING):
        source.problems.warning(where, f"the ssh option {printable(name)} is not followed", _IGNORED)
    return "", []


def _proxy_command(value: str, where: Where, source: Source) -> tuple[str, list[str]]:
    """Understand the usual `ssh -W %h:%p [user@]jump`; any other program is not run."""
    words = shlex.split(value)
    if len(words) > 1 and words[0].rsplit("/", 1)[-1] == "ssh" and not words[-1].startswith("-"):
        options = dict(_options(words[1:-1]))
        if options.get("-W") in ("%h:%p", "[%h]:%p"):
            user, port = options.get("user"), options.get("port")
            host = f"{user}@{words[-1]}" if user and "@" not in words[-1] else words[-1]
            return "ssh.jump", [f"{host}:{port}" if port else host]
    message = "this ProxyCommand is not followed: only `ssh -W %h:%p JUMP` is"
    source.problems.error(where, message, "Use -o ProxyJump=JUMP, or set `ssh: {jump: [...]}` in a fleet.yaml.")
    return "", []
