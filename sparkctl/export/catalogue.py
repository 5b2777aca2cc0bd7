"""Every format by its name."""

from sparkctl.export.cef import CEF
from sparkctl.export.csv_table import CSV
from sparkctl.export.ecs import ECS
from sparkctl.export.format import Format
from sparkctl.export.glpi import GLPI
from sparkctl.export.hardware_bom import HARDWARE_BOM
from sparkctl.export.leef import LEEF
from sparkctl.export.netbox import NETBOX
from sparkctl.export.ocsf import OCSF
from sparkctl.export.orchestrator import ORCHESTRATOR
from sparkctl.export.otlp import OTLP
from sparkctl.export.prometheus import PROMETHEUS
from sparkctl.export.servicenow import SERVICENOW
from sparkctl.export.snipeit import SNIPEIT
from sparkctl.export.software_bom import SOFTWARE_BOM
from sparkctl.export.splunk import SPLUNK
from sparkctl.export.syslog import SYSLOG

FORMATS: dict[str, Format] = {
    form.name: form
    for form in (
        OCSF, ECS, SPLUNK, SYSLOG, CEF, LEEF, SERVICENOW, NETBOX, GLPI, SNIPEIT, HARDWARE_BOM, SOFTWARE_BOM, PROMETHEUS,
        OTLP, CSV, ORCHESTRATOR,
    )
}  # fmt: skip
