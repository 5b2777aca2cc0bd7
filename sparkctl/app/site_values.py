"""Values of a site file: from text to what is meant; each raises ValueError with half a sentence."""

import base64
import binascii
import ipaddress
import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sparkctl.app.file_values import MayBeSecretError, matches

MAX_KEY_FILE = 256 * 1024
"""Bytes of a file of certificates or keys at most."""

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = rf"(?=[A-Za-z0-9.-]{{1,253}}(?![A-Za-z0-9.-])){_LABEL}(\.{_LABEL})*"
PATH = r"/[A-Za-z0-9._+:-]+(/[A-Za-z0-9._+:-]+)*"
HASH = re.compile(r"\$(6|y)\$[A-Za-z0-9./$=]{20,380}")
_KEY_TYPES = (
    "ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa",
)  # fmt: skip
_NEVER_WRITTEN = ("/proc", "/sys", "/dev", "/run", "/var/lib/spark-first-boot", "/etc/spark-seed")

host_name = matches(HOST, "must be a host name")
account_name = matches(r"[a-z_][a-z0-9_-]{0,31}", "must be the name of an account")
package_name = matches(r"[a-z0-9][a-z0-9+.-]{1,100}", "must be the name of a package")
package_pattern = matches(r"[a-z0-9*][a-z0-9+.*-]{0,100}", "must be the name of a package, in which * may stand")
suite_name = matches(r"[A-Za-z0-9][A-Za-z0-9./_-]{0,99}|/", "must be the name of a suite")
short_name = matches(r"[a-z0-9][a-z0-9-]{0,40}", "must be of small letters, digits and hyphens")
component_name = matches(r"[A-Za-z0-9][A-Za-z0-9./_-]{0,60}", "must be the name of a component")
pin_text = matches(
    r"(release|origin|version)( [A-Za-z0-9.*+~:=,_/-]{1,100}){1,10}", "must be as `origin HOST` or `release l=X`"
)
locale_name = matches(r"[A-Za-z][A-Za-z0-9_.@-]{0,40}", "must be the name of a locale")
zone_name = matches(
    r"(?=.{1,60}\Z)[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}", "must be a time zone such as Europe/Berlin"
)
registry_name = matches(rf"{HOST}(:[0-9]{{1,5}})?", "must be HOST or HOST:PORT")
_url = matches(
    rf"https?://{HOST}(:[0-9]{{1,5}})?(/[A-Za-z0-9._~%+/-]{{0,500}})?", "must be http(s)://HOST/PATH, without a login"
)
proxy_url = matches(rf"https?://{HOST}(:[0-9]{{1,5}})?/?", "must be http://HOST:PORT")
boot_path = matches(r"/[A-Za-z0-9._+/-]{1,200}", "must be a path on the server, such as /casper/vmlinuz")
file_mode = matches(r"0[0-7]{3}", "must be a mode such as 0644")


def url(text: str) -> str:
    """An address of a web server, without a login."""
    if "@" in text:
        raise MayBeSecretError("must be http(s)://HOST/PATH, without a login")
    return _url(text)


def address_or_name(text: str) -> str:
    """An IP address, or a host name."""
    try:
        return address(text)
    except ValueError:
        return host_name(text)


def address(text: str) -> str:
    """An IP address; one with a zone, which may be any text, is none: it means something on one machine alone."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("must be an IP address") from None
    if "%" in text:
        raise ValueError("must be an IP address without a zone")
    return str(found)


def interface(text: str) -> str:
    """An address of a node with the length of its network's prefix, such as 10.0.0.5/24."""
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        raise ValueError("must be an address with its prefix, such as 10.0.0.5/24") from None
    if "/" not in text or "%" in text or found.network.prefixlen == found.max_prefixlen:
        raise ValueError("must be an address with its prefix, such as 10.0.0.5/24")
    return str(found)


def mac(text: str) -> str:
    """A MAC address, with colons and in small letters."""
    found = text.lower().replace("-", ":")
    if not re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", found):
        raise ValueError("must be a MAC address such as 4c:bb:47:00:00:01")
    return found


def no_proxy_word(text: str) -> str:
    """A host, a domain with a dot before it, or a network, that is reached without the proxy."""
    return matches(r"\.?[A-Za-z0-9:][A-Za-z0-9.:/-]{0,252}", "must be a host, .domain or network")(text)


def ssh_key(text: str) -> str:
    """A public key of OpenSSH in one line; a private one, options and a certificate are no such thing."""
    if len(text) > 6000:
        raise ValueError("must be a public key of at most 6,000 characters")
    fields = text.split(" ", 2)
    if len(fields) < 2 or fields[0] not in _KEY_TYPES:
        raise MayBeSecretError(f"must be a public key: {', '.join(_KEY_TYPES[:3])} ...")
    try:
        blob = base64.b64decode(fields[1], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be a whole public key") from None
    length = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + length] != fields[0].encode() or len(blob) <= 4 + length:
        raise ValueError("must be a whole public key")
    comment = fields[2] if len(fields) > 2 else ""
    return " ".join((*fields[:2], re.sub(r"[^A-Za-z0-9@._-]", "_", comment)[:100])).rstrip()


def target_path(text: str) -> str:
    """Where a file is put on a node: absolute, without `..`, and nowhere that this is not for."""
    if not re.fullmatch(PATH, text) or len(text) > 400 or {".", ".."} & set(text.split("/")):
        raise ValueError("must be an absolute path of letters, digits and . _ + : -")
    if text.startswith("/etc/ssh/ssh_host_") or any(
        text == one or text.startswith(f"{one}/") for one in _NEVER_WRITTEN
    ):
        raise ValueError("must not lie there")
    return text


def certificates(path: Path) -> str:
    """The certificates of a PEM file and nothing else of it; raises ValueError for anything but certificates."""
    content = _read(path)
    if b"PRIVATE KEY" in content:
        raise ValueError("must hold certificates alone, and there is a private key in it")
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise ValueError("must be certificates in PEM") from None
    return "".join(one.public_bytes(Encoding.PEM).decode("ascii") for one in found)


def openpgp_key(path: Path) -> str:
    """An armoured public key of OpenPGP."""
    content = _read(path)
    if b"PRIVATE KEY" in content:
        raise ValueError("must be a public key, and this is a private one")
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    armour = re.fullmatch(
        r"\s*(-----BEGIN PGP PUBLIC KEY BLOCK-----\n[A-Za-z0-9+/=:., ()@<>_\n-]+-----END PGP PUBLIC KEY BLOCK-----)\s*",
        text.replace("\r\n", "\n"),
    )
    if armour is None:
        raise ValueError("must be an armoured OpenPGP public key (gpg --armor --export)")
    return armour[1] + "\n"


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise ValueError("must be a file that is there")
        with path.open("rb") as file:
            content = file.read(MAX_KEY_FILE + 1)
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    if len(content) > MAX_KEY_FILE:
        raise ValueError(f"must be at most {MAX_KEY_FILE // 1024} KiB long")
    return content
