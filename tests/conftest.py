"""What all layers of tests share."""

import os
import tempfile

from hypothesis import settings

pytest_plugins = ["tests.nothing_skips", "tests.integration.fixtures_stack"]

_prefect_home = tempfile.TemporaryDirectory(prefix="pawpaw-prefect-")
"""Prefect keeps its files here, not in the developer's home folder."""
os.environ |= {"PREFECT_HOME": _prefect_home.name, "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
os.environ.pop("PREFECT_API_URL", None)

settings.register_profile("pawpaw", deadline=None, derandomize="CI" in os.environ)  # a slow machine is no failure
settings.load_profile("pawpaw")


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    _prefect_home.cleanup()
