"""Every kind of mirror by its name, which is its key in mirror.yaml and the `kind` of what it serves."""

from typing import Any

from sparkctl.app.mirror_kinds.apt import Apt
from sparkctl.app.mirror_kinds.firmware import Firmware
from sparkctl.app.mirror_kinds.images import Images
from sparkctl.app.mirror_kinds.models import Models
from sparkctl.app.mirror_kinds.seam import Kind
from sparkctl.app.mirror_kinds.wheels import Wheels

KINDS: dict[str, Kind[Any, Any]] = {
    "apt": Apt(),
    "firmware": Firmware(),
    "images": Images(),
    "models": Models(),
    "wheels": Wheels(),
}
