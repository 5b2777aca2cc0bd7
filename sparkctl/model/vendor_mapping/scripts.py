"""The reference scripts for Landscape, which say PASS, FAIL or UNKNOWN; each is known by a key of its own."""

from collections.abc import Callable, Iterator, Mapping

from sparkctl.model.vendor_mapping.claims import Part, Said
from sparkctl.model.vendor_mapping.outline import FLAG, LOOSE, TEXT, Outline, Type, left
from sparkctl.model.vendor_mapping.parts import clean_number

OWN_JUDGEMENT = left("a judgement of the script; sparkctl judges from evidence of its own")
WHAT_IT_DID = left("what the script did or wrote, not what the machine is")
ABLE = left("which programs are there is told by the packages")
RECOVERY = left("no facet keeps ways of recovery")
ENROLMENT = left("no facet keeps enrolment with a service")
ENCRYPTION = left("ours is told from the layers of the root file system, by name and format")

_COMMON: Mapping[str, Outline] = {
    "status": OWN_JUDGEMENT,
    "run_id": WHAT_IT_DID,
    "fail_reasons": OWN_JUDGEMENT,
    **dict.fromkeys(
        (
            "missing_optional", "notes", "out_dir", "evidence_dir", "log_path", "bundle_path", "out_path",
            "evidence_files", "mode", "level",
        ),
        WHAT_IT_DID,
    ),
}  # fmt: skip
_NAMES: Mapping[str, Mapping[str, Outline]] = {
    "collect_package": dict.fromkeys(
        ("bundle_sha256", "bundle_size_bytes", "payload_files", "collected_items"), WHAT_IT_DID
    ),
    "encryption_at_rest": {
        **dict.fromkeys(
            (
                "encryption_state", "root_source", "root_fstype", "root_on_dmcrypt", "luks_devices", "luks_count",
                "dm_crypt_targets_present", "crypttab_present", "active_crypttab_lines", "tpm2_token_found",
                "fscrypt_ready",
            ),
            ENCRYPTION,
        ),
        "tpm_present": left("ours names each TPM"),
        "systemd_cryptenroll_present": ABLE,
        "fscrypt_tool_present": ABLE,
        "enablement_plan": WHAT_IT_DID,
    },
    "factory_reset_reprovision": {
        "uefi_mode": FLAG,
        **dict.fromkeys(("bootloader", "grub_recovery_entry_lines"), RECOVERY),
        **dict.fromkeys(
            (
                "pro_present", "pro_attached", "landscape_service_available", "landscape_service_status",
                "landscape_config_present", "landscape_client_installed", "cloud_init_present",
                "cloud_init_disabled_marker_present",
            ),
            ENROLMENT,
        ),
        **dict.fromkeys(
            ("machine_id_present", "ssh_hostkey_count", "nm_connection_count"),
            left("a count, or that it is there; ours names them"),
        ),
        "dgx_tools": ABLE,
        "plan_file": WHAT_IT_DID,
        "actions_taken": WHAT_IT_DID,
    },
    "health_watchdogs": {
        "watchdog_device_present": left("ours names each watchdog"),
        "watchdog_device_path": left("it is the name under which the rest is kept", Type.TEXT),
        "wdctl_present": ABLE,
        "wdctl_timeout_seconds": left("sysfs says the same"),
        "wdctl_settimeout_supported": left("no facet keeps what a watchdog can do"),
        "sysfs": {
            "identity": TEXT,
            "timeout": LOOSE,
            "nowayout": LOOSE,
            "state": TEXT,
            "status": left("volatile"),
            "timeleft": left("volatile"),
        },
        "systemd_manager": left("no facet keeps settings of systemd's watchdog"),
        "services": WHAT_IT_DID,
        "self_test": WHAT_IT_DID,
    },
    "recovery_backup_levels": {
        "uefi_mode": left("YES or NO of a probe whose rules are not told"),
        **dict.fromkeys(
            (
                "efi_mount", "bootloader", "recovery_partition_candidate_lines", "grub_recovery_entry_lines",
                "systemd_boot_entry_lines",
            ),
            RECOVERY,
        ),
        **dict.fromkeys(("level0_json", "level1_tarball", "level2_tarball", "sha256"), WHAT_IT_DID),
    },
    "retrieve_logs_stdout": dict.fromkeys(
        ("preset", "encoding", "max_bytes", "truncated", "source_bytes", "sha256", "decode_hint", "markers"),
        WHAT_IT_DID,
    ),
    "signing_verification": {
        "os": TEXT,
        "apt_version": left("the package says the same"),
        "gpgv_present": ABLE,
        **dict.fromkeys(
            (
                "allow_insecure_repos", "insecure_source_flags_found", "insecure_source_matches", "signed_by_lines",
            ),
            left("ours is by source of packages"),
        ),
        **dict.fromkeys(
            ("apt_update_exit_code", "signature_error_matches", "gpgv_evidence_sample"), WHAT_IT_DID
        ),
    },
    "verified_boot_integrity": {
        "uefi_mode": FLAG,
        "efi_mount": RECOVERY,
        "secureboot_var": LOOSE,
        "setupmode_var": LOOSE,
        "mokutil_sb_state": left("the variable says the same"),
        "lockdown_state_raw": left("lockdown_active_mode is the one that is marked in it"),
        "lockdown_active_mode": TEXT,
        "module_sig_enforce": left("UNKNOWN does not tell no from not found"),
        "sbverify_present": ABLE,
        "kernel_image": left("a path; ours lists the kernels that are there"),
        "tpm_present": left("ours names each TPM"),
        "tpm_eventlog_present": left("no facet keeps whether there is an event log"),
        "tpm2_pcrread_present": ABLE,
    },
}  # fmt: skip
SCRIPTS: Mapping[str, Mapping[str, Outline]] = {name: {**_COMMON, **fields} for name, fields in _NAMES.items()}
KNOWN_BY: Mapping[str, str] = {
    "collect_package": "bundle_sha256",
    "encryption_at_rest": "encryption_state",
    "factory_reset_reprovision": "plan_file",
    "health_watchdogs": "watchdog_device_present",
    "recovery_backup_levels": "level0_json",
    "retrieve_logs_stdout": "markers",
    "signing_verification": "gpgv_present",
    "verified_boot_integrity": "secureboot_var",
}
"""A key that only one script writes."""
_SWITCH = {"1": True, "0": False}


def script_of(document: Mapping[str, object]) -> str | None:
    """The script that writes such a document, None for an unknown one."""
    return next((name for name, key in KNOWN_BY.items() if key in document), None)


def verified_boot_integrity(data: Part) -> Iterator[Said]:
    """UEFI variables are `0` or `1`; anything else is not known."""
    yield from data.take("uefi_mode", ("security", "uefi"))
    for name, field in (("secureboot_var", "secure_boot"), ("setupmode_var", "setup_mode")):
        yield from data.claim(name, ("security", field), _switch(data, name))
    yield from data.take("lockdown_active_mode", ("security", "lockdown"))


def health_watchdogs(data: Part) -> Iterator[Said]:
    """sysfs as texts: the limit in seconds, `1` for one that cannot be stopped."""
    device, sysfs = data.text("watchdog_device_path"), data.part("sysfs")
    if device is None:
        yield from sysfs.leave("the script names no device")
        return
    here = ("hardware", "watchdogs", device.removeprefix("/dev/"))
    yield from sysfs.take("identity", (*here, "identity"))
    yield from sysfs.take("state", (*here, "state"))
    yield from sysfs.claim("timeout", (*here, "timeout_s"), clean_number(sysfs.value.get("timeout")))
    yield from sysfs.claim("nowayout", (*here, "nowayout"), _switch(sysfs, "nowayout"))


def signing_verification(data: Part) -> Iterator[Said]:
    """The distribution's name."""
    yield from data.take("os", ("os", "distribution", "pretty_name"))


def factory_reset_reprovision(data: Part) -> Iterator[Said]:
    """Whether the machine booted through UEFI."""
    yield from data.take("uefi_mode", ("security", "uefi"))


def _switch(part: Part, name: str) -> bool | None:
    return _SWITCH.get(str(part.value.get(name)))


MAPPINGS: Mapping[str, Callable[[Part], Iterator[Said]]] = {
    one.__name__: one
    for one in (verified_boot_integrity, health_watchdogs, signing_verification, factory_reset_reprovision)
}
