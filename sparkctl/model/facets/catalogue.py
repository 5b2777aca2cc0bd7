"""All facets by name."""

from sparkctl.model.base import Record
from sparkctl.model.facets.base import Facet
from sparkctl.model.facets.drivers import Drivers, DriversVolatile
from sparkctl.model.facets.firmware import Firmware, FirmwareVolatile
from sparkctl.model.facets.hardware import Hardware, HardwareVolatile
from sparkctl.model.facets.identity import Identity, IdentityVolatile
from sparkctl.model.facets.network import Network, NetworkVolatile
from sparkctl.model.facets.os import OperatingSystem, OperatingSystemVolatile
from sparkctl.model.facets.ota import Ota, OtaVolatile
from sparkctl.model.facets.security import Security, SecurityVolatile
from sparkctl.model.facets.software import Software, SoftwareVolatile
from sparkctl.model.facets.storage import Storage, StorageVolatile


class Facets(Record):
    """The facets of one node; one that was not asked for is null."""

    identity: Facet[Identity, IdentityVolatile] | None = None
    hardware: Facet[Hardware, HardwareVolatile] | None = None
    firmware: Facet[Firmware, FirmwareVolatile] | None = None
    os: Facet[OperatingSystem, OperatingSystemVolatile] | None = None
    ota: Facet[Ota, OtaVolatile] | None = None
    drivers: Facet[Drivers, DriversVolatile] | None = None
    software: Facet[Software, SoftwareVolatile] | None = None
    network: Facet[Network, NetworkVolatile] | None = None
    storage: Facet[Storage, StorageVolatile] | None = None
    security: Facet[Security, SecurityVolatile] | None = None


FACETS: tuple[str, ...] = tuple(Facets.model_fields)
"""The names of all facets."""
