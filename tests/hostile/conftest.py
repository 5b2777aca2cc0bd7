"""Both SSH stacks by parametrisation."""

import pytest


@pytest.fixture(params=["asyncssh", "paramiko"])
def stack(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
