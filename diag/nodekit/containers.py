"""Containers and their images, without their environment, their command lines or their labels.

Docker is asked through its client, and only while its daemon runs: asking would start it. Podman has no daemon and its
client makes folders, so that its own files are read instead; those of root only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from diag.nodekit.command import Ran
from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import bounded, name, word, words

DOCKER = "/usr/bin/docker"
DOCKER_PID = "/run/docker.pid"
DOCKER_CONTAINERS = (DOCKER, "ps", "--all", "--no-trunc", "--format", "json")
DOCKER_IMAGES = (DOCKER, "images", "--digests", "--no-trunc", "--format", "json")
STORAGE = "/var/lib/containers/storage"
PODMAN_CONTAINERS = ("/usr/bin/cat", f"{STORAGE}/overlay-containers/containers.json")
PODMAN_IMAGES = ("/usr/bin/cat", f"{STORAGE}/overlay-images/images.json")
ELEVATED = (DOCKER_CONTAINERS, DOCKER_IMAGES, PODMAN_CONTAINERS, PODMAN_IMAGES)
SECONDS = 3.0
MAX_OUTPUT = 2 * 1024 * 1024
MAX_LISTED = 500
MAX_REFERENCE = 400  # characters of an image's name with its registry


@dataclass
class Listed:
    """Things by name, and what changes by itself about them: the state of a container (`running`, `exited`)."""

    things: dict[str, Any] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)


def docker_containers(machine: Machine) -> Listed | None:
    """Containers by name, None where Docker is not installed.

    Raises PermissionError, TimeoutError, Unevaluated, ValueError.
    """
    ran = _docker(machine, DOCKER_CONTAINERS)
    return None if ran is None else parse_docker_containers(ran.stdout)


def docker_images(machine: Machine) -> dict[str, Any] | None:
    """Images by `REPOSITORY:TAG`; None and raises as `docker_containers`."""
    ran = _docker(machine, DOCKER_IMAGES)
    return None if ran is None else parse_docker_images(ran.stdout)


def podman_containers(machine: Machine) -> dict[str, Any] | None:
    """Containers of root by name, None where Podman keeps none; raises PermissionError, OSError, ValueError."""
    text = _podman(machine, PODMAN_CONTAINERS)
    return None if text is None else parse_podman_containers(text)


def podman_images(machine: Machine) -> dict[str, Any] | None:
    """Images of root by name; None and raises as `podman_containers`."""
    text = _podman(machine, PODMAN_IMAGES)
    return None if text is None else parse_podman_images(text)


def parse_docker_containers(text: str) -> Listed:
    """The rows of `docker ps --format json`; raises ValueError."""
    found = Listed()
    for row in _rows(text):
        key = name(_text(row, "Names"), found.things)
        image = word(_text(row, "Image"), MAX_REFERENCE)
        if image is None:
            raise ValueError("docker ps names no image for a container")
        found.things[key] = {"image": image}
        state = word(_text(row, "State"))
        if state is not None:
            found.states[key] = state
    bounded(found.things, MAX_LISTED, "containers")
    return found


def parse_docker_images(text: str) -> dict[str, Any]:
    """The rows of `docker images --format json`; raises ValueError."""
    found: dict[str, Any] = {}
    for row in sorted(_rows(text), key=lambda row: (_text(row, "Repository"), _text(row, "Tag"), _text(row, "ID"))):
        repository, tag = word(_text(row, "Repository"), MAX_REFERENCE), word(_text(row, "Tag"))
        image_id, digest = word(_text(row, "ID")), word(_text(row, "Digest"))
        if image_id is None:
            raise ValueError("docker images names no id for an image")
        reference = f"{repository}:{tag}" if tag else f"{repository}@{digest}" if digest else image_id
        key = name(reference if repository else image_id, found)
        found[key] = {"id": image_id, "digest": digest}
    return bounded(found, MAX_LISTED, "images")


def parse_podman_containers(text: str) -> dict[str, Any]:
    """The entries of containers.json; raises ValueError."""
    found: dict[str, Any] = {}
    for entry in _entries(text):
        names = _texts(entry, "names")
        image_id = word(_text(entry, "image"))
        image = _image_of(entry) or image_id
        if image is None:
            raise ValueError("containers.json names no image for a container")
        found[name(names[0] if names else _text(entry, "id"), found)] = {"image": image, "image_id": image_id}
    return bounded(found, MAX_LISTED, "containers")


def parse_podman_images(text: str) -> dict[str, Any]:
    """The entries of images.json; an image without a name is known by its id. Raises ValueError."""
    found: dict[str, Any] = {}
    for entry in _entries(text):
        image_id = word(_text(entry, "id"))
        if image_id is None:
            raise ValueError("images.json names no id for an image")
        for reference in words(_texts(entry, "names"), MAX_REFERENCE) or [image_id]:
            found[name(reference, found)] = {"id": image_id, "digest": word(_text(entry, "digest"))}
    return bounded(found, MAX_LISTED, "images")


def _docker(machine: Machine, argv: tuple[str, ...]) -> Ran | None:
    if not machine.exists(DOCKER):
        return None
    if not machine.exists(DOCKER_PID):
        raise Unevaluated(UnknownReason.PRECONDITION, "Docker does not run, and asking it would start it")
    ran = machine.run(argv, seconds=SECONDS, limit=MAX_OUTPUT)
    if ran.exit_status != 0 and "permission denied" in ran.stderr.lower():
        ran = machine.run(argv, seconds=SECONDS, limit=MAX_OUTPUT, elevate=True)
    if ran.exit_status != 0 or ran.truncated:
        said = one_line(ran.stderr) or "it prints too much"
        raise Unevaluated(UnknownReason.IO_ERROR, f"docker {argv[1]} ended with {ran.exit_status}: {said}")
    return ran


def _podman(machine: Machine, argv: tuple[str, ...]) -> str | None:
    path = argv[1]
    try:
        return machine.read(path, MAX_OUTPUT) if machine.exists(path) else None
    except PermissionError as denied:
        ran = machine.run(argv, seconds=SECONDS, limit=MAX_OUTPUT, elevate=True)
        if ran.exit_status != 0 and "no such file" in ran.stderr.lower():
            machine.forgive(denied)
            return None
        if ran.exit_status != 0:
            raise
        machine.forgive(denied)
        return ran.stdout


def _rows(text: str) -> Iterator[dict[str, Any]]:
    """One JSON object on each line."""
    for line in text.splitlines():
        if line.strip():
            yield _object(_json(line))


def _entries(text: str) -> list[dict[str, Any]]:
    entries = _json(text)
    if not isinstance(entries, list):
        raise ValueError("this is no JSON list")  # noqa: TRY004 - bad text is a ValueError
    return [_object(entry) for entry in entries]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("this is no JSON object")  # noqa: TRY004 - bad text is a ValueError
    return value


def _image_of(entry: dict[str, Any]) -> str | None:
    """The image's name, which Podman keeps as JSON inside a text."""
    metadata = _json(_text(entry, "metadata") or "{}")
    return word(_text(_object(metadata), "image-name"), MAX_REFERENCE)


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _texts(row: dict[str, Any], key: str) -> list[str]:
    value = row.get(key)
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
