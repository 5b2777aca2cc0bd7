"""Which kernel is newer, and which are of one kind."""

import pytest

from diag.nodekit.kernels import Kernels, flavour, release_key


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("6.17.0-1008-nvidia", "6.17.0-1014-nvidia"),
        ("6.17.0-998-nvidia", "6.17.0-1014-nvidia"),
        ("6.17.0-1032-nvidia", "7.0.0-1019-nvidia"),
        ("5.14.0-427.13.1.el9_4.aarch64", "5.14.0-427.22.1.el9_4.aarch64"),
    ],
)
def test_releases_sort_by_number(older: str, newer: str) -> None:
    assert release_key(older) < release_key(newer)


@pytest.mark.parametrize(
    ("release", "kind"),
    [
        ("6.17.0-1014-nvidia", "nvidia"),
        ("7.0.0-28-generic-64k", "generic-64k"),
        ("6.18.44-custom-v657", "custom-v657"),
        ("5.14.0-427.13.1.el9_4.aarch64", ""),
        ("", ""),
        ("\x1b[31m", ""),
    ],
)
def test_flavour_is_what_stands_behind_the_numbers(release: str, kind: str) -> None:
    assert flavour(release) == kind


def test_the_next_kernel_is_the_newest_of_the_kind_that_runs() -> None:
    images = ("6.14.0-1015-nvidia", "6.17.0-1014-nvidia", "7.0.0-28-generic-64k")
    assert Kernels("6.14.0-1015-nvidia", images, (), ()).newest == "6.17.0-1014-nvidia"
    assert Kernels("6.14.0-1015-lowlatency", images, (), ()).newest is None
