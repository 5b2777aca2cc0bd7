"""Which drivers a node runs."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import Record, Text, Word
from sparkctl.model.facets.base import Names, Number


class Nvidia(Record):
    """The driver of NVIDIA GPUs.

    `version` is that of the module in the kernel, `userspace` that of the libraries beside it: where they differ,
    nothing that uses the GPU starts. `flavour` is null while no module is loaded. The paths are those of the module
    under /lib/modules/RELEASE for the running kernel and for the one that the next boot takes; null: it has none.
    """

    loaded: bool
    version: Word | None = None
    flavour: Literal["open", "proprietary"] | None = None
    userspace: Word | None = None
    running_kernel_module: Text | None = None
    next_kernel_module: Text | None = None


class Module(Record):
    """A kernel module that holds a device, or did not come with the kernel.

    `signed` is null for what is built into the kernel. `in_use_by` are addresses of PCI and names of platform devices.
    """

    version: Word | None = None
    srcversion: Word | None = None
    in_tree: bool
    built_in: bool
    signed: bool | None = None
    in_use_by: Names = []


class Drivers(Record):
    """All drivers.

    `nvidia` is null on a machine without such hardware and driver. `loaded` names every module in the kernel; the list
    grows and shrinks with what is plugged in and started. `dkms` tells builds (`KERNEL/ARCH`) by `MODULE/VERSION`.
    `cuda` are versions of toolkits by their folder in /usr/local, `cuda_default` is where /usr/local/cuda leads.
    """

    nvidia: Nvidia | None = None
    modules: Annotated[dict[Word, Module], Field(max_length=1000)] | None = None
    loaded: Names | None = None
    dkms: (
        Annotated[
            dict[Word, Annotated[dict[Word, Literal["built", "installed"]], Field(max_length=200)]],
            Field(max_length=200),
        ]
        | None
    ) = None
    cuda: Annotated[dict[Word, Word], Field(max_length=40)] | None = None
    cuda_default: Word | None = None


class DriversVolatile(Record):
    """How often a module is in use."""

    references: Annotated[dict[Word, Number], Field(max_length=1000)] = {}
