"""What all tests share: how much of them is run."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--full-size", action="store_true", help="survival tests of sweeps at full size: many minutes")


@pytest.fixture(scope="session")
def full_size(pytestconfig):
    """Whether tests that have a size for every day and a full one are to have the full one."""
    return pytestconfig.getoption("--full-size")
