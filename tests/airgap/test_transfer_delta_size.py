"""What a delta costs: 60 packages of 3,000 that changed."""

import random
from pathlib import Path

import pytest

from tests.airgap.gaps import Gap, contents, gap_in, must

PACKAGES, CHANGED, SIZE = 3000, 60, 32_768  # a package of Ubuntu is ten times that; smaller ones are the harder case


def size_of(bundle: Path) -> int:
    return sum(path.stat().st_size for path in bundle.iterdir())


@pytest.mark.slow
def test_a_delta_of_sixty_packages_is_a_twentieth_of_the_whole_at_most(tmp_path: Path) -> None:
    gap: Gap = gap_in(tmp_path / "gap")
    rng = random.Random(3)
    names = [f"pool/main/p{n % 40}/package{n}_1.{n}_arm64.deb" for n in range(PACKAGES)]
    gap.write({name: rng.randbytes(SIZE) for name in names})
    must(gap.pack())
    gap.cross(1, "--receipt", gap.top / "receipt.json", "--key", gap.key("bob"))
    must(gap.near("receipt", gap.top / "receipt.json", "--allowed-signers", gap.top / "signers"))
    gap.write({name: rng.randbytes(SIZE) for name in rng.sample(names, CHANGED)})
    must(gap.pack("--delta"))
    whole, delta = size_of(gap.packed(1)), size_of(gap.packed(2))
    print(f"whole {whole:,} bytes, delta {delta:,} bytes: {delta / whole:.1%}")
    assert delta <= 0.05 * whole
    gap.cross(2)
    assert contents(gap.tree / "current") == contents(gap.source)
