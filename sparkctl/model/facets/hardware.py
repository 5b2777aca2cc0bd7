"""What a node is made of."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import Record, Word
from sparkctl.model.facets.base import Hex, Names, Number

ByProcessors = Annotated[dict[Word, Number], Field(max_length=1024)]
"""A number by the processors that it holds for, as the kernel lists them: `0-4,10-14`."""

Celsius = Annotated[float, Field(gt=-273.15, lt=1000)]
"""A temperature or a limit of one, in degrees Celsius."""

GigaTransfers = Annotated[float, Field(gt=0, le=1000)]
"""The speed of a PCIe link, in GT/s per lane."""


class CoreType(Record):
    """Processors of one type that are online.

    `implementer` and `part` are Arm's codes (elsewhere vendor, and family with model), `cpus` is a kernel list.
    """

    name: Word | None = None
    implementer: Word | None = None
    part: Word | None = None
    revision: Word | None = None
    count: Number
    cpus: Word


class Frequency(Record):
    """What cpufreq may do: names of its drivers and governors, and the limits of the hardware in MHz."""

    drivers: Names
    governors: Names
    min_mhz: ByProcessors
    max_mhz: ByProcessors


class Cache(Record):
    """Caches of one level and kind: how many, their sizes by the processors that share one, and their sum, in bytes."""

    instances: Number
    total_bytes: Number
    size_bytes: ByProcessors


class Processors(Record):
    """`present` and `online` are kernel lists, `types` those online; `frequency` is null without cpufreq."""

    present: Word | None = None
    online: Word | None = None
    types: Annotated[dict[Word, CoreType], Field(max_length=16)] | None = None
    frequency: Frequency | None = None
    caches: Annotated[dict[Word, Cache], Field(max_length=16)] | None = None


class NumaNode(Record):
    """A NUMA node: its processors as a kernel list, null when it has none, and its memory in bytes."""

    cpus: Word | None = None
    total_bytes: Number | None = None


class Memory(Record):
    """Sizes in bytes as the kernel counts them: `total_bytes` is without what the firmware keeps for itself."""

    total_bytes: Number | None = None
    swap_total_bytes: Number | None = None
    page_bytes: Number | None = None
    huge_page_bytes: Number | None = None
    numa_nodes: Annotated[dict[Word, NumaNode], Field(max_length=64)] | None = None


class HardwareGpu(Record):
    """A display controller. What nvidia-smi tells is null without the NVIDIA driver.

    `memory_total_bytes` is null where the GPU has no memory of its own, as on a GB10.
    """

    driver: Word | None = None
    name: Word | None = None
    compute_capability: Word | None = None
    memory_total_bytes: Number | None = None
    max_sm_mhz: Number | None = None


class PciFunction(Record):
    """A PCI function with its ids. Speeds in GT/s and widths in lanes: the link now, and the most the function can do.

    They are null for a function without a link and for one that sleeps. A GB10 shows its GPU at 2.5 GT/s and one lane.
    """

    vendor: Hex
    device: Hex
    subsystem_vendor: Hex | None = None
    subsystem_device: Hex | None = None
    class_code: Hex
    revision: Hex | None = None
    driver: Word | None = None
    link_gt_s: GigaTransfers | None = None
    link_width: Number | None = None
    max_link_gt_s: GigaTransfers | None = None
    max_link_width: Number | None = None


class Nic(Record):
    """A network controller with the names of its interfaces and RDMA devices."""

    kind: Literal["ethernet", "wireless", "infiniband", "other"]
    interfaces: Names
    rdma: Names


class NvmeController(Record):
    """An NVMe controller; `address` is its PCI address, `size_bytes` the sum of its namespaces."""

    model: Word | None = None
    serial: Word | None = None
    transport: Word | None = None
    address: Word | None = None
    namespaces: Number
    size_bytes: Number | None = None


class UsbDevice(Record):
    """A USB device with its ids as four hexadecimal digits; `drivers` hold its interfaces."""

    vendor: Word | None = None
    product: Word | None = None
    class_code: Word | None = None
    manufacturer: Word | None = None
    name: Word | None = None
    serial: Word | None = None
    speed_mbit_s: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    drivers: Names


class Tpm(Record):
    """A TPM: 2 for version 2.0. Its maker and its firmware are in the firmware facet."""

    version_major: Number | None = None
    description: Word | None = None
    driver: Word | None = None


class Watchdog(Record):
    """A watchdog timer; `state` is `active` when something armed it."""

    identity: Word | None = None
    state: Word | None = None
    timeout_s: Number | None = None
    nowayout: bool | None = None


class Sensor(Record):
    """One input of a sensor chip; limits are null where the driver sets none or a placeholder, and for all but heat."""

    label: Word | None = None
    high_celsius: Celsius | None = None
    critical_celsius: Celsius | None = None


class ThermalZone(Record):
    """A thermal zone with the number of its trip points; at `critical_celsius` the kernel orders a shutdown."""

    kind: Word | None = None
    policy: Word | None = None
    trips: Number
    critical_celsius: Celsius | None = None


class Hardware(Record):
    """The parts of a machine.

    Processors by implementer and part; GPUs, PCI functions and NICs by PCI address; USB devices by port path; sensor
    chips by name and device, their inputs by the driver's name (`temp1`). A map is null when it could not be read.
    """

    processors: Processors
    memory: Memory
    gpus: Annotated[dict[Word, HardwareGpu], Field(max_length=64)] | None = None
    pci: Annotated[dict[Word, PciFunction], Field(max_length=256)] | None = None
    nics: Annotated[dict[Word, Nic], Field(max_length=256)] | None = None
    nvme: Annotated[dict[Word, NvmeController], Field(max_length=64)] | None = None
    usb: Annotated[dict[Word, UsbDevice], Field(max_length=64)] | None = None
    tpms: Annotated[dict[Word, Tpm], Field(max_length=64)] | None = None
    watchdogs: Annotated[dict[Word, Watchdog], Field(max_length=64)] | None = None
    sensors: Annotated[dict[Word, Annotated[dict[Word, Sensor], Field(max_length=32)]], Field(max_length=32)] | None = (
        None
    )
    thermal_zones: Annotated[dict[Word, ThermalZone], Field(max_length=32)] | None = None


class GpuNow(Record):
    """Temperature in degrees Celsius and clock in MHz at the moment of the look."""

    celsius: Number | None = None
    sm_mhz: Number | None = None


class HardwareVolatile(Record):
    """Readings: temperatures by chip or zone and input, clocks in MHz by cpufreq policy, memory in bytes."""

    celsius: Annotated[dict[Word, Annotated[dict[Word, Celsius], Field(max_length=64)]], Field(max_length=64)] = {}
    current_mhz: Annotated[dict[Word, Number], Field(max_length=1024)] = {}
    gpus: Annotated[dict[Word, GpuNow], Field(max_length=64)] = {}
    memory_available_bytes: Number | None = None
