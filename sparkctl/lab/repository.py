"""The packages that a simulated node can be given beside those that it has, as an update of DGX OS would bring them."""

from sparkctl.lab.facts_software import installed_packages
from sparkctl.lab.node_model import IMAGE_PACKAGE, NodeModel

NEXT_KERNEL = "6.17.0-1018-nvidia"
OFFERED: dict[str, tuple[str, ...]] = {
    "dgx-release": ("7.5.0",),
    f"{IMAGE_PACKAGE}{NEXT_KERNEL}": ("6.17.0-1018.18",),
    "nvidia-container-toolkit": ("1.19.0-1",),
    "libnvidia-container1": ("1.19.0-1",),
    "fwupd": ("2.0.21-1ubuntu1~24.04.1",),
    "dgx-dashboard": ("0.28.0-1",),
}
DEPENDS: dict[str, dict[str, str]] = {"nvidia-container-toolkit=1.19.0-1": {"libnvidia-container1": "1.19.0-1"}}
"""By `NAME=VERSION`: the versions of others that it needs."""


def available(node: NodeModel) -> dict[str, tuple[str, ...]]:
    """The versions of each package that can be had, that of today among them."""
    now = installed_packages(node)
    names = sorted({*now, *OFFERED})
    return {name: (*([now[name]] if name in now else []), *OFFERED.get(name, ())) for name in names}
