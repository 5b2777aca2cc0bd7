"""What a baseline made from nodes leaves out, and what no two machines may share."""

INDIVIDUAL: tuple[str, ...] = (
    "identity.serial",
    "identity.serial_source",
    "identity.identifiers",
    "identity.platform.clues",
    "identity.hostname",
    "identity.macs",
    "identity.drives",
    "identity.gpus",
    "identity.machine_id",
    "identity.host_keys",
    "hardware.nvme.*.serial",
    "hardware.usb.*.serial",
    "network.addresses",
    "network.interfaces.*.altnames",
    "network.interfaces.*.mac",
    "network.interfaces.*.permanent_mac",
    "network.rdma.*.node_guid",
    "os.boot_parameters.root",
    "security.root_encryption.device",
    "storage.disks.*.partitions.*.content_uuid",
    "storage.disks.*.partitions.*.uuid",
    "storage.disks.*.serial",
    "storage.disks.*.wwid",
    "storage.fstab.*.source",
    "storage.layers.*.uuid",
)
"""Fields that are right to differ from node to node, as patterns of a baseline's `ignore`."""

PASSING: tuple[str, ...] = (
    "drivers.loaded",
    "firmware.esrt.*.last_attempt_status",
    "firmware.esrt.*.last_attempt_version",
    "firmware.fwupd.*.flags",
    "firmware.fwupd.*.request_flags",
    "firmware.fwupd.*.update_state",
    "hardware.memory.numa_nodes.*.total_bytes",
    "hardware.memory.total_bytes",
    "hardware.usb",
    "os.boot_parameters.BOOT_IMAGE",
    "os.dgx.ota_date",
    "os.reboot_packages",
    "os.reboot_required",
    "ota.recipes",
    "ota.requirements",
    "security.listening.*.programs",
    "software.docker_containers",
    "software.podman_containers",
)
"""Fields that change with what is plugged in, run or tried, and mean little; a baseline may list them all the same."""

UNIQUE: tuple[str, ...] = (
    "identity.serial",
    "identity.machine_id",
    "identity.host_keys.*",
    "identity.drives.*",
    "identity.macs.*",
)
"""Fields whose value no two machines may share: a second one is a clone, or the same machine under two names."""
