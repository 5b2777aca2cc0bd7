"""List the modules of a folder, in a checkout and in the streamed program alike."""

from __future__ import annotations

import os
from types import ModuleType


def modules_of(package: ModuleType) -> list[str]:
    """Sorted names of the modules of a package."""
    listing = getattr(package.__loader__, "module_names", None)
    if listing is not None:
        return sorted(listing(package.__name__))
    folder = os.path.dirname(os.path.abspath(str(package.__file__)))
    return sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py") and name != "__init__.py")
