"""An index of wheels made of plain files (PEP 503): its bytes follow from the wheels, so that anything else is foreign.

    simple/index.html           every distribution
    simple/NAME/index.html      its wheels, each with its digest
    wheels/FILE.whl
    requirements.txt            a lock file of exactly these wheels

The index in JSON (PEP 691) has the same addresses, told apart by a header of the request: plain files cannot do that.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from sparkctl.airgap.mirrors.wheel_file import Wheel
from sparkctl.airgap.mirrors.wheel_lock import lock_text
from sparkctl.model.mirror_wheels import WheelPin

WHEELS = "wheels"
SIMPLE = "simple"
LOCK = "requirements.txt"


def index_of(wheels: Sequence[Wheel], pins: Sequence[WheelPin]) -> dict[str, bytes]:
    """Every file beside the wheels, by its path; the same for the same wheels and pins."""
    projects: dict[str, list[Wheel]] = defaultdict(list)
    for wheel in sorted(wheels, key=lambda each: each.file):
        projects[wheel.name].append(wheel)
    pages = {f"{SIMPLE}/{name}/index.html": _page(name, map(_link, found)) for name, found in projects.items()}
    names = (f'<a href="{quote(name)}/">{escape(name)}</a>' for name in sorted(projects))
    return {LOCK: lock_text(pins).encode(), f"{SIMPLE}/index.html": _page("Wheels", names), **pages}


def _link(wheel: Wheel) -> str:
    requires = f' data-requires-python="{escape(wheel.requires_python)}"' if wheel.requires_python else ""
    address = f"../../{WHEELS}/{quote(wheel.file)}#sha256={wheel.sha256}"
    return f'<a href="{address}"{requires}>{escape(wheel.file)}</a>'


def _page(title: str, links: Iterable[str]) -> bytes:
    head = f'<meta charset="utf-8"><meta name="pypi:repository-version" content="1.0"><title>{escape(title)}</title>'
    body = "".join(f"{link}<br>\n" for link in links)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>\n{body}</body></html>\n'.encode()
