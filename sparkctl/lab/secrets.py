"""The secrets that a simulated node may be given, one or two of every class, and how to find each of them again.

All are invented and made of the node's seed, so that no source file holds one. `planted` puts them into a node; a test
of redaction looks for `traces` of every one in what it has sealed.
"""

import base64
import json
import string
import urllib.parse
from dataclasses import dataclass
from uuid import UUID

from sparkctl.lab.node_model import NodeModel

ALPHABET = string.ascii_letters + string.digits
HEX = string.hexdigits[:16]
PEM_LINE = 64
LEAST_CORE = 8  # characters of base64 that are enough to know it again


@dataclass(frozen=True)
class Secret:
    """`kind` is its class, `label` what stands before it in a log, `value` what may not be found in a sealed bundle."""

    kind: str
    label: str
    value: str


def secrets_of(node: NodeModel) -> tuple[Secret, ...]:
    """Every secret of a node with `secrets`, always the same for this node."""
    return (*_places(node), *_people(node), *_tokens(node), *_keys(node))


def secret(node: NodeModel, kind: str) -> str:
    """The value of one class; raises KeyError for a class that there is not."""
    return {one.kind: one.value for one in reversed(secrets_of(node))}[kind]


def forms(value: str) -> dict[str, str]:
    """A value as it stands in text, in base64, in a URL and in a JSON string; a form like another one is left out."""
    inside = json.dumps(value)[1:-1].replace("/", "\\/")
    found = {
        "plain": value,
        "base64": base64.b64encode(value.encode()).decode(),
        "url": urllib.parse.quote(value, safe=""),
        "json": inside,
        "json in json": json.dumps(inside)[1:-1],
    }
    return {name: form for at, (name, form) in enumerate(found.items()) if form not in list(found.values())[:at]}


def traces(value: str) -> set[bytes]:
    """Every string of bytes in which the value shows itself: its forms, and base64 of any text that holds it."""
    content = value.encode()
    found = {form.encode() for form in forms(value).values()} | {json.dumps(value)[1:-1].encode()}
    found.add(urllib.parse.quote(value).encode())
    for before in range(3):
        whole = base64.b64encode(bytes(before) + content)
        # What the neighbours of the value have a part in, at both ends, is not known beforehand.
        start = (before * 8 + 5) // 6
        core = whole[start : (before + len(content)) * 8 // 6]
        if len(core) >= LEAST_CORE:
            found |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def _made(node: NodeModel, kind: str, size: int, alphabet: str = ALPHABET) -> str:
    return "".join(alphabet[byte % len(alphabet)] for byte in node.material(f"secret {kind}", size))


def _places(node: NodeModel) -> tuple[Secret, ...]:
    mark = _made(node, "place", 6, HEX)
    octets = node.material("secret address", 8)
    uuid = UUID(bytes=node.material("secret uuid", 16), version=4)
    mac = ":".join(f"{byte:02x}" for byte in (0x3C, 0x6D, *octets[:4]))
    return (
        Secret("host", "connecting to host", f"vault-{mark}"),
        Secret("fqdn", "lookup of", f"vault-{mark}.corp-{mark}.internal"),
        Secret("ipv4", "connection from", f"10.{octets[0]}.{octets[1]}.{octets[2] % 250 + 1}"),
        Secret("ipv6", "connection from", f"fd51:{octets[3]:x}{octets[4]:02x}:7::{octets[5]:x}{octets[6]:02x}"),
        Secret("mac", "station", mac),
        Secret("serial", "Serial Number:", f"SN{_made(node, 'serial', 10, string.digits)}"),
        Secret("uuid", "UUID:", str(uuid)),
        Secret("ssid", "SSID:", f"Office {_made(node, 'ssid', 4)}"),
        Secret("psk", "psk=", f"correct horse {_made(node, 'psk', 10)}!"),
    )


def _people(node: NodeModel) -> tuple[Secret, ...]:
    user = f"mk{_made(node, 'user', 6, string.ascii_lowercase)}"
    return (
        Secret("user", "session opened for user", user),
        Secret("home", "cannot open", f"/home/{user}/models/private"),
        Secret("mail", "mail to", f"{user}@corp-{_made(node, 'place', 6, HEX)}.internal"),
        Secret("url_password", "", f"hunter2-{_made(node, 'url', 8)}"),
        Secret("password", "password=", f'p"{_made(node, "password", 8)}/+&'),
        Secret("hash", "passwd:", f"$6${_made(node, 'salt', 8)}${_made(node, 'hash', 86)}"),
        Secret("yescrypt", "hashed_passwd:", f"$y$j9T${_made(node, 'ysalt', 22)}${_made(node, 'yhash', 43)}"),
    )


def _tokens(node: NodeModel) -> tuple[Secret, ...]:
    header, claims = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256", "typ": "JWT"}, {"sub": _made(node, "subject", 8), "simulated": True})
    )
    return (
        Secret("aws_id", "AWS_ACCESS_KEY_ID=", f"AKIA{_made(node, 'aws', 16, string.ascii_uppercase + '234567')}"),
        Secret("aws_secret", "AWS_SECRET_ACCESS_KEY=", f"{_made(node, 'aws secret', 38)}/{_made(node, 'aws end', 1)}"),
        Secret("github", "GITHUB_TOKEN=", f"ghp_{_made(node, 'github', 36)}"),
        Secret("gitlab", "GITLAB_TOKEN=", f"glpat-{_made(node, 'gitlab', 20)}"),
        Secret("ngc", "NGC_API_KEY=", f"nvapi-{_made(node, 'ngc', 64)}"),
        Secret("huggingface", "HF_TOKEN=", f"hf_{_made(node, 'hf', 34)}"),
        Secret(
            "slack", "SLACK_TOKEN=", f"xoxb-{_made(node, 'slack', 12, string.digits)}-{_made(node, 'slack end', 24)}"
        ),
        Secret("jwt", "token", f"{header}.{claims}.{_made(node, 'jwt', 43)}"),
        Secret("bearer", "Authorization: Bearer", _made(node, "bearer", 40)),
        Secret("api_key", "api_key=", _made(node, "api key", 32, HEX)),
    )


def _keys(node: NodeModel) -> tuple[Secret, ...]:
    lines = base64.b64encode(b"\x30\x82" + node.material("secret pem", 190)).decode()
    return tuple(
        Secret("pem", "", lines[at : at + PEM_LINE]) for at in range(0, len(lines), PEM_LINE)
    )  # each line for itself: half a key is a secret too


def pem_block(node: NodeModel) -> str:
    """The lines of the key as a PEM block."""
    body = "\n".join(one.value for one in _keys(node))
    words = "PRIVATE KEY"  # apart, so that no scanner takes this file for a key
    return f"-----BEGIN {words}-----\n{body}\n-----END {words}-----\n"
