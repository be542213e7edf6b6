"""The end of a log as a real engine hands it out."""

import pytest

from pawpaw_ops.clients import container_log
from pawpaw_ops.clients.container_log import Reader
from pawpaw_ops.models.base import utc_now
from tests.integration.stack.support_docker import World, base_image

WRITES = """
for (let i = 0; i < 3000; i++) { console.log(i); console.error('no line of the access log'); }
console.log('x'.repeat(40000));
setInterval(() => {}, 1000);
"""
LONG = "x" * 40_000


def test_each_line_of_standard_output_is_read_once_however_the_engine_cut_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_log, "FIRST", 16)
    began = utc_now()
    network, command = world.network(), ("node", "-e", WRITES)
    one = world.run(base_image("BASE_NODE"), "one", network=network, command=command, hardened=False)
    one.wait_log(LONG)
    log = Reader("", one.name, began)
    assert log.read() == (*map(str, range(3000)), LONG)
    assert log.read() == ()
    later = utc_now()
    one.exec("sh", "-c", "echo more > /proc/1/fd/1; echo and more > /proc/1/fd/1")
    one.wait_log("and more")
    assert log.read() == ("more", "and more") == Reader("", one.name, later).read()
