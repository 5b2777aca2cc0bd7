"""From Ansible's variables to our settings.

Variables travel through the layers of an inventory as text, under their own names with a `$` before them, and are
translated node by node at the end: only then is it known which value won and what a template refers to.
"""

import re

from sparkctl.inventory.draft import Setting, Settings, Source
from sparkctl.inventory.problems import Problems, Where
from sparkctl.inventory.settings import PASSWORD_ACTION, label_fault, read_list_setting, read_setting
from sparkctl.inventory.ssh_arguments import read_ssh_arguments
from sparkctl.inventory.values import LISTS
from sparkctl.inventory.yaml_nodes import VAULT_TAGS, Mapping, Scalar, Sequence, YamlNode
from sparkctl.model.printable import printable

PASSWORDS = frozenset(
    {"ansible_password", "ansible_ssh_pass", "ansible_ssh_password", "ansible_ssh_private_key_passphrase"}
)
VAULT_HEADER = "$ANSIBLE_VAULT;"

_SETTINGS = {
    "ansible_host": "ssh.host",
    "ansible_ssh_host": "ssh.host",
    "ansible_port": "ssh.port",
    "ansible_ssh_port": "ssh.port",
    "ansible_user": "ssh.user",
    "ansible_ssh_user": "ssh.user",
    "ansible_private_key_file": "ssh.identity_files",
    "ansible_ssh_private_key_file": "ssh.identity_files",
    "ansible_connection": "transport",
    "site": "site",
    "rack": "rack",
    "power_group": "power_group",
    **{f"sparkctl_{key}": key for key in ("site", "rack", "power_group", "state", "serial", "unit")},
    **{f"sparkctl_{key}": key for key in ("transport", "elevation", "simulated")},
}
_ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
_LABEL = "sparkctl_label_"
_STRONGER = {
    "$ansible_host": "$ansible_ssh_host",
    "$ansible_port": "$ansible_ssh_port",
    "$ansible_user": "$ansible_ssh_user",
    "$ansible_private_key_file": "$ansible_ssh_private_key_file",
    **{f"${key}": f"$sparkctl_{key}" for key in ("site", "rack", "power_group")},
}
"""Where both are set, Ansible follows the second, wherever the first was set."""

_CONNECTIONS = {
    "ssh": "asyncssh",
    "smart": "asyncssh",
    "ansible.builtin.ssh": "asyncssh",
    "paramiko": "paramiko",
    "paramiko_ssh": "paramiko",
    "ansible.netcommon.paramiko_ssh": "paramiko",
    "local": "local",
    "ansible.builtin.local": "local",
}
_REFERENCE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_MAX_REFERENCES = 20
_TEMPLATE_ACTION = "Write the value itself; only {{ variable }} without filters is followed."
_VAULT_ACTION = "Write the value in plain text, or set it in a fleet.yaml that includes this file."


def is_connection(name: str) -> bool:
    """Whether a variable decides how a node is reached or described, so that its value must be readable."""
    return name in _SETTINGS or name in _ARGUMENTS or name.startswith(_LABEL)


def variable(name: str, text: str, where: Where, source: Source) -> Settings:
    """Return one variable as a setting; a password is noted as a problem and left out."""
    if name in PASSWORDS:
        source.problems.error(where, f"{name} is a password, and passwords are not read", PASSWORD_ACTION)
        return {}
    encrypted = text.startswith(VAULT_HEADER)
    return {f"${name}": Setting(text, where, encrypted=encrypted, auxiliary=not is_connection(name))}


def variable_node(name: str, node: YamlNode, where: Where, source: Source) -> Settings:
    """Return one variable of a YAML inventory as a setting; lists and mappings matter to `sparkctl_labels` alone."""
    if isinstance(node, Scalar):
        if node.is_null:
            return {}
        settings = variable(name, node.text, where, source)
        for setting in settings.values():
            setting.encrypted = setting.encrypted or node.tag in VAULT_TAGS
        return settings
    if name == "sparkctl_labels" and isinstance(node, Mapping):
        labels: Settings = {}
        for key, line, value in node.items():
            labels |= variable_node(f"{_LABEL}{key}", value, source.where(line, f"{where.key}.{key}"), source)
        return labels
    if is_connection(name) or name in PASSWORDS:
        kind = "a list" if isinstance(node, Sequence) else "a mapping"
        source.problems.error(where, f"{name} must be one value, not {kind}", "Write one value.")
    return {}


class Translator:
    """Translates the variables of nodes into settings; keeps what it converted, for most nodes share most values."""

    def __init__(self, sources: dict[str, Source], problems: Problems) -> None:
        self._sources = sources
        self._problems = problems
        self._known: dict[tuple[str, str, Where], Settings] = {}

    def translate(self, node: str, merged: Settings) -> Settings:
        """Return the settings with variables replaced by what they mean; the later entry of `merged` wins."""
        ignored = {weak for weak, strong in _STRONGER.items() if strong in merged}
        settings: Settings = {}
        for key, setting in merged.items():
            if not key.startswith("$"):
                settings[key] = setting
            elif key not in ignored and is_connection(key[1:]):
                settings |= self._translate(node, key[1:], setting, merged)
        return settings

    def _translate(self, node: str, name: str, setting: Setting, merged: Settings) -> Settings:
        text = str(setting.value)
        if setting.encrypted:
            message = f"{name} is encrypted with Ansible Vault, which sparkctl does not open"
            self._problems.error(setting.where, message, _VAULT_ACTION)
            return {}
        if "{{" in text or "{%" in text:
            try:
                text = _follow(text, node, merged)
            except ValueError as error:
                self._problems.error(setting.where, f"{name} of {printable(node)} {error}", _TEMPLATE_ACTION)
                return {}
        key = (name, text, setting.where)
        if key not in self._known:
            self._known[key] = self._convert(name, text, setting.where)
        return self._known[key]

    def _convert(self, name: str, text: str, where: Where) -> Settings:
        source = self._sources[where.file]
        if name in _ARGUMENTS:
            return read_ssh_arguments(text, where, source)
        if name.startswith(_LABEL):
            label = name.removeprefix(_LABEL)
            fault = label_fault(label)
            if fault:
                self._problems.error(where, *fault)
                return {}
            key = f"labels.{label}"
        else:
            key = _SETTINGS[name]
        if name == "ansible_connection":
            if text not in _CONNECTIONS:
                action = f"Leave the node out, or use one of {', '.join(sorted(_CONNECTIONS))}."
                self._problems.error(
                    where, f"sparkctl cannot reach a node by ansible_connection={printable(text)}", action
                )
                return {}
            text = _CONNECTIONS[text]
        setting = (
            read_list_setting(source, key, [text], where) if key in LISTS else read_setting(source, key, text, where)
        )
        return {key: setting} if setting else {}


def _follow(text: str, node: str, merged: Settings) -> str:
    """Replace `{{ variable }}` by its value, and so on in that value; raises ValueError with half a sentence."""
    for _ in range(_MAX_REFERENCES):
        found = _REFERENCE.search(text)
        if found is None:
            break
        text = text[: found.start()] + _lookup(found[1], node, merged) + text[found.end() :]
    if "{{" in text or "{%" in text or len(text) > 10_000:
        raise ValueError("is a template that sparkctl does not evaluate")
    return text


def _lookup(name: str, node: str, merged: Settings) -> str:
    if name == "inventory_hostname":
        return node
    if name == "inventory_hostname_short":
        return node.split(".", 1)[0]
    setting = merged.get(f"${name}")
    if setting is None:
        raise ValueError(f"refers to the variable {name}, which the inventory does not set")
    if setting.encrypted:
        raise ValueError(f"refers to the variable {name}, which is encrypted with Ansible Vault")
    return str(setting.value)
