"""Assets for Snipe-IT's API: what to look for, what it should be, and which numbers of your installation are wanted."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from sparkctl.export.fields import Field, Section, constant, nested
from sparkctl.export.format import Format, line_for_each
from sparkctl.export.remarks import description
from sparkctl.export.subject import Subject

ENDPOINT = "/api/v1/hardware"


def _find(subject: Subject) -> str:
    """The path that finds the asset again: by serial, else by a search for its name."""
    if subject.key.is_serial:
        return f"{ENDPOINT}/byserial/{quote(subject.key.value, safe='')}"
    return f"{ENDPOINT}?search={quote(subject.name, safe='')}"


BODY_FIELDS: tuple[Field[Subject], ...] = (
    constant("endpoint", ENDPOINT),
    Field("lookup", "(key)", _find, "by serial where the key is one"),
    Field("body.name", "(inventory) name", lambda s: s.name),
    Field(
        "body.serial", "identity.serial", lambda s: s.key.value if s.key.is_serial else None,
        "the key, when it is a serial",
    ),
    Field(
        "body.asset_tag", "(inventory) labels.asset_tag", lambda s: s.node.labels.get("asset_tag"),
        "absent without the label: Snipe-IT counts them itself if it may",
    ),
    Field("body.notes", "(several)", description, "simulated, key, last visit, and what is not known"),
    Field(
        "resolve.model_id", "identity.smbios.product_name", lambda s: s.fact("identity.smbios.product_name"),
        "look for it in `/api/v1/models?search=`",
    ),
    Field(
        "resolve.manufacturer_id", "identity.smbios.sys_vendor", lambda s: s.fact("identity.smbios.sys_vendor"),
        "of the model: `/api/v1/manufacturers?search=`",
    ),
    Field("resolve.rtd_location_id", "(inventory) site", lambda s: s.node.site, "`/api/v1/locations?search=`"),
    Field("resolve.status_id", "(inventory) state", lambda s: s.node.state, "`/api/v1/statuslabels?search=`"),
)  # fmt: skip


def records(subject: Subject) -> Iterator[dict[str, Any]]:
    """One asset."""
    yield nested(BODY_FIELDS, subject)


SNIPEIT = Format(
    name="snipeit",
    title="assets for Snipe-IT's API",
    target="Snipe-IT API v1",
    sections=(Section("An asset", "node", BODY_FIELDS),),
    pieces=line_for_each(records),
)
