"""The verdict over an ota facet: counts, the release that fits, and what tears a node."""

import json
from typing import Any

import pytest

from sparkctl.lab.characters import model_of
from sparkctl.lab.makes import MAKES
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, root_view, write_tree
from sparkctl.model.facets.ota import Ota
from sparkctl.model.facets.ota_score import OtaScore, score_ota
from tests.facets.harness import collected

RECIPES = {
    "1": ("OTA1", "2025-11-12", "7.3.1", "1.0-1", "6.14.0-1013-nvidia", "2.140.1", "3.0.0"),
    "2604": ("OTA2604", "2026-04-21", "7.4.0", "1.1-1", "6.17.0-1014-nvidia", "2.152.15", "3.3.2"),
    "2607": ("OTA2607", "2026-07-15", "7.5.0", "1.2-1", "6.17.0-1022-nvidia", "2.155.11", "3.5.8"),
    "2610-ebeta": ("OTA2610-ebeta", "2026-10-01", "7.6.0", "1.3-1", "7.0.0-1019-nvidia", "2.160.0", "3.6.0"),
}
ON_2604: dict[str, Any] = {
    "packages": {"dgx-release": "7.4.0", "dgx-oobe": "1.1-1"},
    "kernel": "6.17.0-1014-nvidia",
    "kernel_images": ["6.17.0-1014-nvidia"],
    "firmware": {"FLASH": "SBP:R:2.152.15", "EC Firmware": "3.3.2", "TPM": "SOCTS"},
}


def ota(*, release: str = "7.4.0", required: dict[str, list[str]] | None = None, **installed: Any) -> Ota:
    wanted: dict[str, dict[str, dict[str, list[str]]]] = {}
    recipes = {}
    for key, (name, date, stamp, oobe, kernel, flash, controller) in RECIPES.items():
        recipes[key] = {"name": name, "released": date, "sha256": "0" * 64, "format_known": True}
        recipes[key] |= {"required": (required or {}).get(key, [])}
        wishes = {
            ("packages", "dgx-release"): stamp,
            ("packages", "dgx-oobe"): oobe,
            ("packages", "nv-limits"): "25.10-1",
            ("software", "kernel"): kernel,
            ("firmware", "SOCFW"): flash,
            ("firmware", "EC"): controller,
            ("firmware", "TPM"): "7.516.1",
        }
        for (part, component), version in wishes.items():
            wanted.setdefault(part, {}).setdefault(component, {}).setdefault(version, []).append(key)
    document = {
        "release": {"version": release},
        "recipes": recipes,
        "requirements": wanted,
        "installed": {**ON_2604, **installed},
    }
    return Ota.model_validate_json(json.dumps(document))


def test_each_wish_is_verified_failed_or_not_verifiable() -> None:
    score = score_ota(ota()).recipes["2607"]
    assert (score.verified, score.failed, score.not_verifiable) == (0, 6, 1)
    assert score.not_verifiable_checks == ["firmware TPM"]
    assert "firmware SOCFW" in score.failed_checks
    own = score_ota(ota()).recipes["2604"]
    assert own.verified_checks == [
        "firmware EC", "firmware SOCFW", "package dgx-oobe", "package dgx-release", "software kernel",
    ]  # fmt: skip
    assert own.failed_checks == ["package nv-limits"]


def test_a_prerelease_is_left_out() -> None:
    verdict = score_ota(ota())
    assert set(verdict.recipes) == {"1", "2604", "2607"}
    assert verdict.newest == "2607"


def test_a_node_of_one_piece_matches_its_release() -> None:
    verdict = score_ota(ota())
    assert (verdict.matched, verdict.proven) == ("2604", True)
    assert (verdict.torn, verdict.torn_words) == (False, [])


def test_without_the_firmware_a_match_is_not_proven() -> None:
    verdict = score_ota(ota(firmware=None))
    assert (verdict.matched, verdict.proven) == ("2604", False)
    assert "firmware" not in verdict.parts
    assert verdict.recipes["2607"].not_verifiable == 3


def test_packages_ahead_of_the_firmware_tear_a_node() -> None:
    packages = {"dgx-release": "7.5.0", "dgx-oobe": "1.2-1", "nv-limits": "25.10-1"}
    verdict = score_ota(ota(release="7.5.0", packages=packages, kernel="6.17.0-1022-nvidia"))
    assert verdict.torn
    assert verdict.parts["packages"].newest == "2607"
    assert verdict.parts["firmware"].newest == "2604"
    assert verdict.torn_words == [
        "firmware is of OTA2604, packages are of OTA2607",
        "firmware EC is 3.3.2, OTA2607 wants 3.5.8",
        "firmware SOCFW is SBP:R:2.152.15, OTA2607 wants 2.155.11",
    ]


def test_a_kernel_that_waits_for_a_reboot_tears_a_node_and_is_said_to_wait() -> None:
    packages = {"dgx-release": "7.5.0", "dgx-oobe": "1.2-1"}
    firmware = {"FLASH": "SBP:R:2.155.11", "EC Firmware": "3.5.8"}
    images = ["6.17.0-1014-nvidia", "6.17.0-1022-nvidia"]
    verdict = score_ota(ota(release="7.5.0", packages=packages, firmware=firmware, kernel_images=images))
    assert verdict.torn
    assert verdict.awaits_reboot
    assert not score_ota(ota(release="7.5.0", packages=packages, firmware=firmware)).awaits_reboot


def test_a_release_file_behind_its_package_tears_a_node() -> None:
    packages = {"dgx-release": "7.5.0", "dgx-oobe": "1.1-1"}
    words = score_ota(ota(release="7.4.0", packages=packages)).torn_words
    assert words == ["the release file says 7.4.0, the package dgx-release is 7.5.0"]


def test_a_release_file_far_ahead_of_the_rest_tears_a_node() -> None:
    packages = {"dgx-release": "7.5.0", "dgx-oobe": "1.1-1"}
    words = score_ota(ota(release="7.5.0", packages=packages)).torn_words
    assert "packages are of OTA2604, the release file is of OTA2607" in words
    assert "package dgx-oobe is 1.1-1, OTA2607 wants 1.2-1" in words


def test_a_package_that_somebody_removed_tears_nothing() -> None:
    assert not score_ota(ota(packages={"dgx-release": "7.4.0"})).torn


def test_one_package_held_back_tears_a_node() -> None:
    verdict = score_ota(ota(packages={"dgx-release": "7.4.0", "dgx-oobe": "1.0-1"}))
    assert verdict.torn_words[1:] == ["package dgx-oobe is 1.0-1, OTA2604 wants 1.1-1"]


def test_a_required_component_of_another_release_rules_a_recipe_out() -> None:
    packages = {"dgx-release": "7.5.0", "dgx-oobe": "1.2-1", "nv-limits": "25.10-1"}
    firmware = {"FLASH": "SBP:R:2.155.11", "EC Firmware": "3.3.2"}
    assert score_ota(ota(packages=packages, firmware=firmware)).matched == "2607"
    assert score_ota(ota(required={"2607": ["EC"]}, packages=packages, firmware=firmware)).matched == "2604"


def test_a_kernel_of_another_flavour_is_not_compared() -> None:
    score = score_ota(ota(kernel="7.0.0-28-generic")).recipes["2607"]
    assert "software kernel" in score.not_verifiable_checks
    score = score_ota(ota(kernel="6.17.0-1022-nvidia-64k")).recipes["2607"]
    assert "software kernel" in score.verified_checks


@pytest.mark.parametrize(
    ("texts", "answer"),
    [
        ({"PD Firmware": "PD0 FW1: 5.22, FW2: 4.10", "PD Firmware (2)": "PD1 FW1: 5.22, FW2: 4.10"}, "verified"),
        ({"PD Firmware": "PD0 FW1: 5.22, FW2: 4.10", "PD Firmware (2)": "PD1 FW1: 5.7, FW2: 4.10"}, "failed"),
        ({"PD Firmware": "none"}, "not_verifiable"),
        ({}, "not_verifiable"),
    ],
)
def test_both_power_delivery_controllers_count(texts: dict[str, str], answer: str) -> None:
    whole = json.loads(ota(firmware=texts).model_dump_json())
    whole["requirements"]["firmware"]["USBPD"] = {"0.5.22": ["2607"]}
    score = score_ota(Ota.model_validate_json(json.dumps(whole))).recipes["2607"]
    assert "firmware USBPD" in getattr(score, f"{answer}_checks")


def test_an_adapter_that_left_the_bus_cannot_be_verified() -> None:
    whole = json.loads(ota().model_dump_json())
    whole["requirements"]["connectx"] = {"CX7": {"28.45.4028": ["2604"]}}
    assert score_of(whole).recipes["2604"].not_verifiable_checks == ["connectx CX7", "firmware TPM"]
    whole["installed"]["connectx"] = {"rocep1s0f0": "28.45.4028", "rocep1s0f1": "28.45.4028"}
    assert "connectx CX7" in score_of(whole).recipes["2604"].verified_checks


def test_a_recipe_of_an_unknown_form_is_listed_with_nothing_verified() -> None:
    whole = json.loads(ota().model_dump_json())
    whole["recipes"]["9"] = {"sha256": "1" * 64, "format_known": False}
    verdict = score_of(whole)
    assert verdict.recipes["9"].verified_checks == verdict.recipes["9"].failed_checks == []
    assert (verdict.recipes["9"].name, verdict.recipes["9"].format_known) == ("9", False)
    assert (verdict.matched, verdict.newest) == ("2604", "2607")


def test_a_machine_without_recipes_matches_nothing() -> None:
    verdict = score_of({"installed": {}})
    assert (verdict.matched, verdict.newest, verdict.torn, verdict.parts) == (None, None, False, {})
    assert score_of({"release": {"version": "7.4.0"}, "installed": {"packages": {"dgx-release": "7.5.0"}}}).torn


@pytest.mark.parametrize("make", MAKES)
def test_a_healthy_node_of_the_lab_is_on_the_release_it_says(make: str, tmp_path: Any) -> None:
    write_tree(render(NodeModel("spark07", "1", MAKES[make])), tmp_path / "n", Pool(tmp_path / "pool"), 1_790_000_000.0)
    root = (tmp_path / "n").resolve()
    for tree, elevation in ((root, "none"), (root_view(root), "root")):
        verdict = score_of(collected("ota", tree, elevation)["data"])
        assert (verdict.matched, verdict.torn_words) == ("2.2", [])
        assert verdict.proven == (elevation == "root")
    firmware = {"firmware SOCFW", "firmware EC", "firmware USBPD"}
    assert firmware <= set(verdict.recipes["2.2"].verified_checks)
    assert firmware <= set(verdict.recipes["2607"].failed_checks)


def test_a_lab_node_whose_firmware_stayed_behind_is_torn_and_says_by_how_much(tmp_path: Any) -> None:
    stale = model_of("spark07", 1, "founders", "stale-firmware")
    write_tree(render(stale), tmp_path / "n", Pool(tmp_path / "pool"), 1_790_000_000.0)
    root = (tmp_path / "n").resolve()
    verdict = score_of(collected("ota", root_view(root), "root")["data"])
    assert verdict.torn_words == [
        "firmware is of OTA2, packages are of OTA2.2",
        "firmware EC is 2.76.19, OTA2.2 wants 2.78.24",
        "firmware SOCFW is SBP:R:2.148.24, OTA2.2 wants 2.150.3",
    ]
    assert verdict.recipes["2.2"].failed_checks == ["firmware EC", "firmware SOCFW"]
    assert not score_of(collected("ota", root, "none")["data"]).torn  # what cannot be seen tears nothing


def test_smbios_and_fwupd_of_a_founders_lab_node_tell_the_same_versions(tmp_path: Any) -> None:
    for fault in (None, "stale-firmware"):
        node = model_of("spark07", 1, "founders", fault)
        write_tree(render(node), tmp_path / "n", Pool(tmp_path / "pool"), 1_790_000_000.0)
        found = collected("firmware", root_view((tmp_path / "n").resolve()), "root")["data"]
        decoded = {device["name"]: device["version_decoded"] for device in found["fwupd"].values()}
        assert found["smbios"]["EC Firmware"]["version"] == decoded["Embedded Controller"]
        assert found["smbios"]["FLASH"]["version"] == f"SBP:R:{decoded['UEFI Device Firmware']}"
        delivery = decoded["USB Power Delivery Controller"].removeprefix("0.")
        assert found["smbios"]["PD Firmware"]["version"] == f"PD0 FW1: {delivery}, FW2: 4.10"
        assert found["smbios"]["PD Firmware (2)"]["version"] == f"PD1 FW1: {delivery}, FW2: 4.10"


def score_of(document: dict[str, Any]) -> OtaScore:
    return score_ota(Ota.model_validate_json(json.dumps(document)))
