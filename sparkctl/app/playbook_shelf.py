"""Where playbooks are: those that travel with sparkctl, and a site's own, which stand before ours of the same name."""

from pathlib import Path

from sparkctl.app.playbook_file import examine_playbook
from sparkctl.app.playbook_site import Site
from sparkctl.app.settings_file import usable
from sparkctl.errors import UsageError
from sparkctl.inventory.problems import nearest
from sparkctl.model.lifecycle import Phase
from sparkctl.model.playbook import Playbook
from sparkctl.model.printable import printable
from sparkctl.resources import shipped


def playbook_files(site: Site) -> dict[str, Path]:
    """The file of every playbook by its name, phase after phase."""
    found: dict[str, Path] = {}
    for folder in (shipped("playbooks"), *([site.folder] if site.folder else [])):
        for phase in Phase:
            found |= {f"{phase.value}/{path.stem}": path for path in sorted((folder / phase.value).glob("*.yaml"))}
    order = list(Phase)
    return dict(sorted(found.items(), key=lambda item: (order.index(Phase(item[0].split("/")[0])), item[0])))


def playbook_named(name: str, site: Site) -> Playbook:
    """A playbook by its name (`maintenance/reboot`, or `reboot` alone where that is enough), or by its file.

    Raises UsageError when there is none, or something is wrong with it.
    """
    files = playbook_files(site)
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"there is no file {name}", hint="sparkctl playbook list shows what there is")
    else:
        alike = [full for full in files if name in (full, full.partition("/")[2])]
        if len(alike) != 1:
            raise _no_such(name, alike, list(files))
        path = files[alike[0]]
    return usable(examine_playbook(path), f"sparkctl playbook check {path}")


def _no_such(name: str, alike: list[str], names: list[str]) -> UsageError:
    if alike:
        return UsageError(f"{name!r} may be {' or '.join(alike)}", hint="name the phase, too")
    close = nearest(name, [*names, *(full.partition("/")[2] for full in names)])
    hint = f"did you mean {close[0]}?" if close else "sparkctl playbook list shows what there is"
    return UsageError(f"there is no playbook {printable(name, 60)!r}", hint=hint)
