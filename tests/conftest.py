"""What all layers of tests share."""

import os
import sys
import tempfile
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.nothing_skips", "tests.integration.fixtures_stack", "tests.integration.fixtures_containers"]

WITHOUT_STACK = ("tests/e2e/test_demo.py", "tests/e2e/test_build_to_verdict.py")
STACK = "the running stack"
_prefect_home = tempfile.TemporaryDirectory(prefix="pawpaw-prefect-")
"""Prefect keeps its files here, not in the developer's home folder."""
os.environ |= {"PREFECT_HOME": _prefect_home.name, "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
os.environ.pop("PREFECT_API_URL", None)
# The tests' server is plain HTTP on loopback; each of its many clients would read the whole list of authorities anew.
os.environ["PREFECT_API_TLS_INSECURE_SKIP_VERIFY"] = "true"

settings.register_profile("pawpaw", deadline=None, derandomize="CI" in os.environ)  # a slow machine is no failure
settings.load_profile("pawpaw")


class StackApart(LoadScopeScheduling):  # type: ignore[misc]
    """One process has all tests of the running stack, which is one; the others share the files of the rest."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return STACK if file.startswith("tests/e2e/") and file not in WITHOUT_STACK else file

    def _assign_work_unit(self, node: Any) -> None:
        """Files with the most tests come first, but few of these take minutes each: they would be waited for alone."""
        for scope in (*WITHOUT_STACK, STACK):
            if scope in self.workqueue:
                self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> StackApart:
    """Decide who runs what when there are several processes."""
    return StackApart(config, log)


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
