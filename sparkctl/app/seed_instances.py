"""Which seed of a node is the last that was made here: the secret of an older stick proves nothing any more."""

from collections.abc import Mapping
from pathlib import Path

from sparkctl.app.places import Places
from sparkctl.atomic_file import replace_file
from sparkctl.errors import UsageError
from sparkctl.store.location import make_state_dir

NAME = "seed-instances"
"""A folder in the state folder, with a file for each node that holds the instance of its last seed."""


def note_instances(places: Places, instances: Mapping[str, str]) -> None:
    """Note the seeds of nodes as their last ones; raises StoreError, UsageError."""
    make_state_dir(places.state)
    folder = places.state / NAME
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for node_id, instance in instances.items():
            replace_file(folder / node_id, f"{instance}\n".encode(), 0o600)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}", hint="is there room on the disk?") from None


def last_instance(places: Places, node_id: str) -> str | None:
    """The instance of the last seed of a node, None where none was made with this state folder; raises UsageError."""
    path: Path = places.state / NAME / node_id
    try:
        with path.open("rb") as file:
            return file.read(200).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="run as the owner of the state folder"
        ) from None
