"""What no deploy begins with on the real stack: all of it is named at once, and nothing has changed."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from pawpaw_ops.errors import PreconditionError
from tests.e2e.support_deploy import Shop
from tests.integration.stack.support_docker import docker
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")


def foreign_image(shop: Shop, folder: Path, architecture: str) -> str:
    """Load an empty image that says it is for another machine; returns its tag."""
    tag = f"{shop.stack.name}-backend:{architecture}"
    layer = io.BytesIO()
    tarfile.open(fileobj=layer, mode="w").close()
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": ["/nothing"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"]},
    }
    parts = {
        "layer.tar": layer.getvalue(),
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps([{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]).encode(),
    }
    with tarfile.open(folder / "image.tar", mode="w") as archive:
        for name, data in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    docker("load", "--input", str(folder / "image.tar"))
    shop.images.made.append(tag)
    return tag


def test_deploy_F6_H5_H6_what_does_not_hold_is_named_all_at_once_before_anything_starts(
    shop: Shop, tmp_path: Path
) -> None:
    """An image for another machine, replicas that do not fit into the memory, sessions that the database has not."""
    shop.record("foreign", {"backend": foreign_image(shop, tmp_path, "riscv64")})
    before = shop.everything()
    with shop.stack.env({"BACKEND_REPLICAS": "500", "DB_POOL_MAX": "20"}):
        with pytest.raises(PreconditionError, match="a deploy may not begin") as seen:
            shop.deploy("foreign")
        assert "architecture: backend is for riscv64" in seen.value.message
        assert "memory: " in seen.value.message
        assert "MiB for the new replicas beside the old ones" in seen.value.message
        assert "database sessions: " in seen.value.message
        assert "10000 may be needed" in seen.value.message
    assert shop.everything() == before
    assert shop.left_over() == []


def test_deploy_F6_a_standby_that_is_far_behind_holds_a_deploy_up_until_it_has_caught_up(shop: Shop) -> None:
    version = shop.offer()
    before = shop.everything()
    behind = "SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) > 64 << 20 FROM pg_stat_replication"
    shop.stack.sql("SELECT pg_wal_replay_pause()", service="postgres_replica")
    try:
        for _ in range(5):
            shop.stack.sql("SELECT pg_logical_emit_message(false, 'test', 'x'); SELECT pg_switch_wal()")
        wait_until(lambda: shop.stack.sql(behind) == "t", "the standby is behind")
        with pytest.raises(PreconditionError, match=r"replica: \d+ MiB behind, 64 are allowed"):
            shop.deploy(version)
    finally:
        shop.stack.sql("SELECT pg_wal_replay_resume()", service="postgres_replica")
    assert shop.everything() == before
    wait_until(lambda: shop.stack.sql(behind) == "f", "it has caught up")
    shop.deploy(version)
    assert shop.serves(version)


def test_deploy_I5_a_service_that_may_stop_is_stopped_and_made_anew_and_loses_nothing(shop: Shop) -> None:
    redis, backend = shop.replicas("redis"), shop.replicas()
    customer = shop.stack.shop()
    customer.register()
    customer.fill_cart(2)
    cart = customer.cart()
    with shop.stack.env({"REDIS_MAXMEMORY": "200mb"}):
        shop.deploy("current", may_stop=("redis",))
        assert not shop.replicas("redis").keys() & redis.keys()
        asked = ("redis", "sh", "-c", "tr '\\0' '\\n' </proc/1/cmdline; env")
        assert "200mb" in shop.stack.compose("exec", "-T", *asked)
        assert shop.replicas() == backend
        wait_until(lambda: customer.http.get("/api/cart").status_code == 200, "the shop has found it")
        assert customer.cart() == cart
    shop.deploy("current", may_stop=("redis",))
