"""The OTA state of DGX OS: what the recipes on the node want, and what the node has of it. Nobody scores here."""

from __future__ import annotations

from functools import partial
from typing import Any

from diag.nodekit.dpkg import STATUS, parse_status, read_status
from diag.nodekit.facet import Facet, Look
from diag.nodekit.kernels import BOOT, OSRELEASE, kernels
from diag.nodekit.machine import Machine
from diag.nodekit.ota_recipes import METADATA, PARTS, Recipe, by_component, read_recipe, recipe_names
from diag.nodekit.release import DGX_RELEASE, every_value, release_values
from diag.nodekit.smbios_firmware import TYPE_45, smbios_firmware
from diag.nodekit.words import word, words

# What the recipes call SOCFW, EC and USBPD has other names in SMBIOS type 45.
FIRMWARE = ("EC Firmware", "FLASH", "PD Firmware")
STAMPS = ("dgx-release", "dgx-spark-ota-update-meta", "nvidia-spark-ota-check")
DRIVER = "/sys/module/nvidia/version"
INFINIBAND = "/sys/class/infiniband"
CONNECTX = "mlx5_core"
MAX_ADAPTERS = 16
# What recipes name, and of what is installed only that.
BY_RECIPES = ("requirements", "installed.packages", "installed.firmware")

FACET = Facet(title="OTA state", elevated=(TYPE_45,))
DROPS = ("requirements",)


def collect(look: Look) -> dict[str, Any]:
    recipes = _recipes(look)
    wanted = by_component(recipes)
    return {
        "release": look.at("release", lambda: _release(look.machine), DGX_RELEASE),
        "recipes": {release: _entry(recipe) for release, recipe in recipes.items()},
        "requirements": {part: wanted[part] for part in PARTS},
        "installed": _installed(look, wanted),
    }


def _recipes(look: Look) -> dict[str, Recipe]:
    machine = look.machine
    releases = look.at("recipes", lambda: recipe_names(machine), METADATA, also=BY_RECIPES) or []
    found: dict[str, Recipe] = {}
    for release in releases:
        recipe = look.at(f"recipes[{release}]", partial(read_recipe, machine, release), METADATA, also=BY_RECIPES)
        if recipe is not None:
            found[release] = recipe
    return found


def _entry(recipe: Recipe) -> dict[str, Any]:
    return {**recipe.about, "sha256": recipe.sha256, "format_known": recipe.wanted is not None}


def _release(machine: Machine) -> dict[str, Any] | None:
    text = machine.read_or_none(DGX_RELEASE)
    if text is None:
        return None
    updates, build = every_value(text, "DGX_OTA_VERSION"), release_values(text).get("DGX_SWBUILD_VERSION")
    return {"version": word(updates[-1] if updates else build), "build_version": word(build)}


def _installed(look: Look, wanted: dict[str, Any]) -> dict[str, Any]:
    machine = look.machine
    components = {*FIRMWARE, *wanted["firmware"]}
    return {
        "packages": look.at("installed.packages", lambda: _packages(machine, {*STAMPS, *wanted["packages"]}), STATUS),
        "kernel": look.at("installed.kernel", lambda: word(machine.read(OSRELEASE)), OSRELEASE),
        "kernel_images": look.at("installed.kernel_images", lambda: words(kernels(machine).images), BOOT),
        "driver": look.at("installed.driver", lambda: word(machine.read_or_none(DRIVER)), DRIVER),
        "firmware": look.at("installed.firmware", lambda: _firmware(machine, components), " ".join(TYPE_45)),
        "connectx": look.at("installed.connectx", lambda: _connectx(machine), INFINIBAND),
    }


def _packages(machine: Machine, names: set[str]) -> dict[str, str] | None:
    text = read_status(machine)
    if text is None:
        return None
    return {package: version for package, version in parse_status(text).installed.items() if package in names}


def _firmware(machine: Machine, names: set[str]) -> dict[str, str] | None:
    """Versions by component; the second of a name, as of a pair of controllers, is `NAME (2)`."""
    found = smbios_firmware(machine)
    if found is None:
        return None
    versions = {component: values["version"] for component, values in found.items()}
    return {
        component: version
        for component, version in versions.items()
        if version is not None and component.partition(" (")[0] in names
    }


def _connectx(machine: Machine) -> dict[str, str]:
    """Firmware by RoCE device; none while the adapter has left the bus for want of a cable."""
    found = {}
    for device in machine.names(INFINIBAND)[:MAX_ADAPTERS]:
        version = word(machine.read_or_none(f"{INFINIBAND}/{device}/fw_ver"))
        if version is not None and machine.link_name(f"{INFINIBAND}/{device}/device/driver") == CONNECTX:
            found[device[:120]] = version
    return found
