"""Mirrors of Python wheels: what a lock file names, for machines without an index."""

from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

from sparkctl.airgap.mirrors.kind import Fetched, Planned, Proven
from sparkctl.airgap.mirrors.wheel_fetch import fetch_wheels
from sparkctl.airgap.mirrors.wheel_index import SIMPLE
from sparkctl.airgap.mirrors.wheel_lock import pins_in
from sparkctl.airgap.mirrors.wheel_plan import plan_wheels
from sparkctl.airgap.mirrors.wheel_proof import prove_wheels
from sparkctl.airgap.mirrors.wheel_target import Target, needed
from sparkctl.app.airgap_files import read_bounded, told
from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import lexical, matches, one_of
from sparkctl.app.site_values import url
from sparkctl.errors import UsageError
from sparkctl.model.mirror_wheels import Machine, WheelPin, WheelsMirror, WheelsServed

PYPI = "https://pypi.org/simple"
PYTHON, GLIBC, MACHINE = "3.12", "2.39", "aarch64"
"""What DGX OS 7 has, which is Ubuntu 24.04."""

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # where update-ca-certificates puts the site's own, too
_MAX_LOCK = 16 * 2**20
_LOCK_IT = (
    "Write them with digests: `uv pip compile --generate-hashes --python-version 3.12 --python-platform "
    "aarch64-manylinux_2_39 requirements.in`."
)
_machine = one_of(get_args(Machine))
_glibc = matches(r"2\.(1[7-9]|[2-9][0-9])", "must be a release of glibc from 2.17 on, such as 2.39")
_python = matches(r"3\.([7-9]|[1-9][0-9])", "must be a release of Python such as 3.12")


class Wheels:
    """The kind `wheels`."""

    keys: tuple[str, ...] = ("requirements", "python", "machine", "glibc", "index", "extra")
    clients_verify = False  # pip takes digests from the index

    def read(self, name: str, fields: Fields) -> WheelsMirror | None:
        """An entry; None, with the problem noted, where it cannot be used."""
        pins = _pins(fields)
        pythons = list(dict.fromkeys(fields.texts("python", _python))) or [PYTHON]
        machine = fields.text("machine", _machine) or MACHINE
        glibc = fields.text("glibc", _glibc) or GLIBC
        indexes = [fields.text("index", url) or PYPI, *fields.texts("extra", url)]
        if not pins:
            return None
        for python in pythons:
            target = Target(machine, glibc, python)
            if (twice := _twice(needed(pins, target))) is not None:
                fields.wrong("requirements", f"{twice} is there twice for {target}", "Leave one release of it.")
            elif not needed(pins, target):
                fields.wrong("requirements", f"no requirement is for {target}", "Remove that `python`.")
        return WheelsMirror.model_validate(
            {"name": name, "pins": pins, "machine": machine, "glibc": glibc, "pythons": pythons, "indexes": indexes}
        )

    def origin(self, spec: WheelsMirror) -> list[str]:
        """The indexes."""
        return spec.indexes

    def plan(self, spec: WheelsMirror, work: Path) -> Planned:
        """What the pages of the indexes say."""
        with told(work):
            return plan_wheels(spec, work)

    def fetch(self, spec: WheelsMirror, work: Path) -> Fetched:
        """By pip."""
        with told(work):
            return fetch_wheels(spec, work)

    def prove(self, served: WheelsServed, folder: Path) -> Proven:
        """From the digests of the lock file."""
        with told(folder):
            return prove_wheels(served, folder)

    def vouchers(self, served: WheelsServed) -> list[str]:  # noqa: ARG002 - each is known by its digest
        """Nobody beside whoever made the lock file."""
        return []

    def client(self, served: WheelsServed, url: str, name: str) -> dict[str, str]:  # noqa: ARG002 - one index is all
        """Settings of pip (`pip config debug` shows where it reads them) and of uv, for every user of a client."""
        index = f"{url.rstrip('/')}/{SIMPLE}/"
        parts = urlsplit(index)
        trust = f"trusted-host = {parts.netloc}" if parts.scheme == "http" else f"cert = {_CERTIFICATES}"
        pip = f"[global]\nindex-url = {index}\n{trust}\ndisable-pip-version-check = true\n"
        return {"etc/pip.conf": pip, "etc/uv/uv.toml": f'[[index]]\nurl = "{index}"\ndefault = true\n'}


def _pins(fields: Fields) -> list[WheelPin]:
    """The requirements of the file that an entry names; what is wrong with it is noted."""
    text = fields.text("requirements", str, required="Name a lock file of pip: `requirements: requirements.txt`.")
    if text is None:
        return []
    path = lexical(fields.folder / text)
    try:
        return pins_in(read_bounded(path.resolve(), _MAX_LOCK).decode())
    except UsageError as error:
        fields.wrong("requirements", error.message, "Name a lock file of pip beside this file.")
    except UnicodeDecodeError:
        fields.wrong("requirements", f"{path} is no UTF-8 text", "Save it as UTF-8 text.")
    except ValueError as error:
        fields.wrong("requirements", f"{path}, {error}", _LOCK_IT)
    return []


def _twice(pins: list[WheelPin]) -> str | None:
    """A distribution that would be there in two releases."""
    seen: dict[str, str] = {}
    return next((pin.name for pin in pins if seen.setdefault(pin.name, pin.version) != pin.version), None)
