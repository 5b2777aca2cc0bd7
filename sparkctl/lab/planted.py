"""Puts the secrets of `secrets` where real nodes have them: logs, process titles, containers, settings, file names.

Every form of every secret stands in the journal, from which the text logs are made as well. Beyond that each stands
where its class does on real nodes, also in files that the recording of checks and facets reads.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

from sparkctl.lab.artefacts_logs import LAST
from sparkctl.lab.artefacts_moment import PROCESSES
from sparkctl.lab.artefacts_network import CONNECTIONS
from sparkctl.lab.artefacts_system import CRONTABS, SETTINGS, container_settings
from sparkctl.lab.devices import ETHERNET, WIRELESS
from sparkctl.lab.facts_security import LIST_SUDOERS
from sparkctl.lab.facts_software import DOCKER_CONTAINERS
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.reset_lines import SAMPLER, SERVING, SSHD
from sparkctl.lab.reset_story import KERNEL, Line, Past
from sparkctl.lab.secrets import Secret, forms, pem_block, secret, secrets_of
from sparkctl.lab.tree import SUDO, Tree

BEFORE_NOW = 3_000.0  # seconds
NEWEST = "/cmd/newest-all0.txt"
IN_CONTAINERS = (
    "aws_id", "aws_secret", "github", "gitlab", "ngc", "huggingface", "slack", "jwt", "api_key", "password",
)  # fmt: skip
Values = dict[str, str]


def with_secrets(past: Past, node: NodeModel) -> Past:
    """The same past with lines of the running boot that hold every secret in every form."""
    began = max(node.uptime - BEFORE_NOW, 120.0)
    lines = tuple(replace(line, at=began + number) for number, line in enumerate(_lines(node)))
    running = past.boots[-1]
    return replace(past, boots=(*past.boots[:-1], replace(running, lines=(*running.lines, *lines))))


def secret_lines(node: NodeModel) -> Iterator[str]:
    """Every secret in every form, as it stands in a log."""
    return (line.message for line in _lines(node))


def _lines(node: NodeModel) -> Iterator[Line]:
    for one in secrets_of(node):
        for name, form in forms(one.value).items():
            yield Line(0.0, SERVING if name == "plain" else SAMPLER, _sentence(one, name, form))
    values = _values(node)
    yield Line(0.0, SSHD, f"Accepted password for {values['user']} from {values['ipv4']} port 50514 ssh2")
    yield Line(0.0, SERVING, f"GET https://{values['user']}:{values['url_password']}@{values['fqdn']}/v2/ failed")
    pair = base64.b64encode(f"{values['user']}:{values['url_password']}".encode()).decode()
    yield Line(0.0, SERVING, f"Authorization: Basic {pair}")
    yield Line(0.0, SERVING, f"loaded key\n{pem_block(node)}")
    yield Line(0.0, KERNEL, f"usb 1-1: SerialNumber: {values['serial']}")
    yield Line(0.0, KERNEL, f"{WIRELESS}: authenticate with {values['mac']} (local address={node.mac(2)})")


def _sentence(one: Secret, form: str, value: str) -> str:
    if form == "plain" and one.kind != "pem":
        return f"{one.label}{'' if one.label.endswith('=') else ' '}{value}".strip()
    return {"base64": f"data: {value}", "url": f"GET /login?next={value}&simulated=1"}.get(
        form, f'{{"value": "{value}"}}'
    )


def plant(tree: Tree, node: NodeModel) -> None:
    """Put the secrets into files and recordings."""
    values = _values(node)
    _processes(tree, values)
    _containers(tree, node, values)
    _network(tree, node, values)
    _files(tree, values)
    _names(tree, values)
    _bytes_in_the_journal(tree, values)


def _values(node: NodeModel) -> Values:
    return {one.kind: secret(node, one.kind) for one in secrets_of(node)}


def _append(tree: Tree, argv: tuple[str, ...], text: str) -> None:
    """Let a recorded command print more, for root and under sudo alike."""
    for entry in tree.commands:
        if entry["argv"] in ([*argv], [*SUDO, *argv]) and entry["rc"] == 0 and "stdout_file" not in entry:
            entry["stdout"] += text
    long = [entry["stdout_file"] for entry in tree.commands if entry["argv"] == [*argv] and "stdout_file" in entry]
    for name in long:
        tree.files[f"/cmd/{name}"] = text + str(tree.files[f"/cmd/{name}"])


def _processes(tree: Tree, values: Values) -> None:
    title = f"vllm serve {values['home']} --api-key {values['api_key']} --hf-token {values['huggingface']}"
    row = (
        f"  48377       1 {values['user']:<20} Sl   futex_wait_queue      1   0   3  0.1  0.1   18112   260044 {title}"
    )
    _append(tree, PROCESSES, f"{row} NGC_API_KEY={values['ngc']} --password={values['password']}\n")
    _append(tree, LAST, f"{values['user']:<8} pts/1        {values['ipv4']:<16} still logged in\n")


def _containers(tree: Tree, node: NodeModel, values: Values) -> None:
    settings = container_settings(node)
    config = settings["Config"]
    assert isinstance(config, dict)  # noqa: S101 - as container_settings makes it
    config["Env"] += [f"{name.upper()}_KEY={values[name]}" for name in IN_CONTAINERS]
    config["Env"] += [
        f"TLS_KEY={pem_block(node)}",
        f"TLS_KEY_B64={base64.b64encode(pem_block(node).encode()).decode()}",
    ]
    config["Env"].append(f"HTTPS_PROXY=http://{values['user']}:{values['url_password']}@{values['fqdn']}:3128")
    config["Cmd"] += ["--api-key", values["api_key"]]
    settings["MountPoints"] = {"/models": {"Source": values["home"], "RW": False}}
    _append(tree, SETTINGS, json.dumps(settings) + "\n")
    row = {"ID": node.material("container", 32).hex(), "Names": "agent", "Image": f"{values['fqdn']}/agent:1"}
    row |= {"Command": f'"agent --token {values["github"]}"', "State": "exited", "Labels": "", "Status": "Exited (0)"}
    _append(tree, DOCKER_CONTAINERS, json.dumps(row) + "\n")


def _network(tree: Tree, node: NodeModel, values: Values) -> None:
    _append(
        tree,
        CONNECTIONS,
        f"\n==> /etc/NetworkManager/system-connections/{values['ssid']}.nmconnection <==\n[connection]\n"
        f"id={values['ssid']}\nuuid={values['uuid']}\ntype=wifi\n\n[wifi]\nmac-address={values['mac'].upper()}\n"
        f"ssid={values['ssid']}\n\n[wifi-security]\nkey-mgmt=wpa-psk\npsk={values['psk']}\n\n[802-1x]\n"
        f"identity={values['mail']}\npassword={values['password']}\n# private-key\n{pem_block(node)}",
    )
    _append(tree, ("iw", "dev"), f"\t\tssid {values['ssid']}\n")
    _append(tree, ("nmcli", "--terse", "connection", "show"), f"{values['ssid']}:{values['uuid']}:802-11-wireless:\n")
    seen = [
        {"dst": values[name], "dev": ETHERNET, "lladdr": values["mac"], "state": ["STALE"]} for name in ("ipv4", "ipv6")
    ]
    _append(tree, ("ip", "-json", "neighbour", "show"), json.dumps(seen) + "\n")


def _files(tree: Tree, values: Values) -> None:
    account = f"{values['user']}:{values['url_password']}"
    added = {
        "/etc/hosts": f"{values['ipv4']} {values['fqdn']} {values['host']}\n{values['ipv6']} {values['fqdn']}\n",
        "/etc/passwd": f"{values['user']}:x:1007:1007:{values['mail']}:/home/{values['user']}:/bin/bash\n",
        "/etc/environment": f"https_proxy=http://{account}@{values['fqdn']}:3128\nHF_TOKEN={values['huggingface']}\n",
        "/etc/apt/apt.conf.d/95proxy": f'Acquire::http::Proxy "http://{account}@{values["fqdn"]}:3128/";\n',
        "/etc/apt/sources.list.d/private.sources": (
            f"Types: deb\nURIs: https://{account}@{values['fqdn']}/apt/\nSuites: noble\nComponents: main\n"
        ),
        "/etc/default/grub.d/hugepages.cfg": f"# asked for by {values['mail']}, token {values['gitlab']}\n",
        "/var/log/cloud-init.log": (
            f"2025-09-10 14:02:33,512 - cc_users_groups.py[DEBUG]: passwd: {values['hash']} ssn {values['yescrypt']}\n"
            f"2025-09-10 14:02:34,008 - url_helper.py[DEBUG]: GET http://{account}@{values['host']}/user-data\n"
        ),
        f"/etc/systemd/system/{values['host']}-agent.service": (
            f"[Unit]\nDescription=Simulated\n[Service]\nUser={values['user']}\n"
            f"Environment=AWS_ACCESS_KEY_ID={values['aws_id']} AWS_SECRET_ACCESS_KEY={values['aws_secret']}\n"
        ),
    }
    for path, text in added.items():
        tree.files[path] = str(tree.files.get(path, "")) + text
    _append(
        tree,
        CRONTABS,
        f"\n==> /var/spool/cron/crontabs/{values['user']} <==\n"
        f"*/5 * * * * curl -H 'Authorization: Bearer {values['bearer']}' -b 'jwt={values['jwt']}' https://{values['fqdn']}/\n",
    )
    _append(tree, ("/usr/sbin/dmidecode",), f"\nHandle 0x0099, DMI type 39\n\tSerial Number: {values['serial']}\n")


def _names(tree: Tree, values: Values) -> None:
    """Names of files hold names of people, hosts and networks."""
    crash = f"_home_{values['user']}_bin_train.1007.crash"
    _append(tree, ("find", "/var/crash", "-maxdepth", "2", "-ls"), f"   977 12 -rw-r----- 1 1007 /var/crash/{crash}\n")
    _append(tree, LIST_SUDOERS, f"{values['user']}\n")
    agent = f"{values['host']}-agent.service"
    wanted = f"/etc/systemd/system/multi-user.target.wants/{agent}"
    tree.links[wanted] = f"/etc/systemd/system/{agent}"


def _bytes_in_the_journal(tree: Tree, values: Values) -> None:
    """An entry whose message is no text: journalctl prints its bytes as numbers."""
    text = str(tree.files[NEWEST])
    entry = json.loads(text.partition("\n")[0])
    entry["MESSAGE"] = [*b"\x1b[31mtoken ", *values["slack"].encode(), *b"\x1b[0m"]
    tree.files[NEWEST] = f"{json.dumps(entry)}\n{text}"
