"""What clients of a site need to get images from its registry: hosts.toml of containerd, certificates, a list."""

from collections.abc import Iterator

from sparkctl.airgap.templates import Templates
from sparkctl.model.mirror_images import ImagesServed, ImagesSite, PinnedImage, site_repository
from sparkctl.resources import shipped

_LIST = "usr/local/share/sparkctl/{name}.images"


def client(served: ImagesServed, name: str) -> dict[str, str]:
    """Files of a client by their path: containerd asks the site's registry in the place of each one mirrored.

    Where it is not known which registry the site has, there is the list alone.
    """
    site = served.site
    files = {_LIST.format(name=name): "".join(f"{line}\n" for line in listing(served))}
    if site is None:
        return files
    for origin in sorted({image.name.registry for image in served.images}):
        files[f"etc/containerd/certs.d/{origin}/hosts.toml"] = _hosts_toml(site, origin)
    if site.ca:
        files[f"etc/docker/certs.d/{site.registry}/ca.crt"] = site.ca
        files[f"etc/containerd/certs.d/{site.registry}/ca.crt"] = site.ca
    return files


def listing(served: ImagesServed) -> Iterator[str]:
    """Lines of what can be pulled: a reference by digest, its platforms, and the name that was mirrored.

    Docker mirrors docker.io alone, and has to name the site's registry; every image is listed by that name too.
    """
    yield "# reference platforms name"
    for image in served.images:
        paths = [image.name.path]
        if served.site is not None:
            where = site_repository(image.name, by_registry=served.by_registry)
            paths.append(f"{served.site.registry}/{where}")
        for path in paths:
            for digest, platforms in _digests(image):
                yield f"{path}@{digest} {platforms} {image.name.text}"


def _digests(image: PinnedImage) -> Iterator[tuple[str, str]]:
    """The digests by which any registry that took the image has it: that of a whole index, or of each manifest."""
    if image.whole:
        yield image.digest, ",".join(sorted({manifest.platform for manifest in image.manifests}))
        return
    for manifest in image.manifests:
        yield manifest.digest, manifest.platform


def _hosts_toml(site: ImagesSite, origin: str) -> str:
    """The same file that a seed writes, from its template."""
    below = f"/v2/{origin.replace(':', '-')}" if site.by_registry else ""
    registry = {"host": site.registry, "ca": site.ca}
    return Templates(shipped("cloud-init")).text("hosts.toml.j2", registry=registry, below=below)
