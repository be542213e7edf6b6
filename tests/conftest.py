"""What all layers of tests share."""

import os
import sys
import tempfile

import pytest
from hypothesis import settings

pytest_plugins = ["tests.nothing_skips", "tests.integration.fixtures_stack", "tests.integration.fixtures_containers"]

_prefect_home = tempfile.TemporaryDirectory(prefix="pawpaw-prefect-")
"""Prefect keeps its files here, not in the developer's home folder."""
os.environ |= {"PREFECT_HOME": _prefect_home.name, "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
os.environ.pop("PREFECT_API_URL", None)

settings.register_profile("pawpaw", deadline=None, derandomize="CI" in os.environ)  # a slow machine is no failure
settings.load_profile("pawpaw")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several processes, one has all tests of the running stack, which is one; the others share the files."""
    for item in items:
        where = "stack" if "stack" in getattr(item, "fixturenames", ()) else str(item.path)
        item.add_marker(pytest.mark.xdist_group(where))


_sessions: list[pytest.Session] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember the session for its exit code."""
    _sessions.append(session)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Leave nothing behind, and end at once: at exit Prefect may wait for ever for an event worker without a server."""
    _prefect_home.cleanup()
    if _sessions:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(_sessions[-1].exitstatus))
