"""Fields that are right to differ from node to node, so that a baseline made from nodes leaves them out."""

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
)
"""Patterns as in a baseline's `ignore`."""

UNIQUE: tuple[str, ...] = ("identity.serial", "identity.machine_id", "identity.host_keys.*", "identity.drives.*")
"""Fields whose value no two machines may share: a second one is a clone, or the same machine under two names."""
