"""The database's image as primary and as replica, run as in production."""

import contextlib
import secrets
import subprocess
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from pawpaw_ops.commands.login import try_primary
from pawpaw_ops.runner import LocalRunner
from tests.integration.stack import support_docker
from tests.integration.stack.support_docker import Container, World, attempt, docker
from tests.waiting import wait_until

TMPFS = ("--tmpfs=/tmp:mode=1777", "--tmpfs=/var/run/postgresql:uid=999,gid=999,mode=775")
DATA = "/var/lib/postgresql/data"
ROLES = {
    "postgres": "POSTGRES_PASSWORD",
    "pawpaw_app_a": "DB_PASSWORD",
    "pawpaw_backup": "BACKUP_DB_PASSWORD",
    "pawpaw_exporter": "EXPORTER_DB_PASSWORD",
    "pawpaw_rotator": "ROTATOR_DB_PASSWORD",
    "pawpaw_replicator": "REPLICATOR_DB_PASSWORD",
}
BIG = "CREATE TABLE big AS SELECT n, repeat(md5(n::text), 58) AS filler FROM generate_series(1, 100000) n"


@dataclass(frozen=True)
class Cluster:
    """A network, the passwords, and the volumes of one primary and its replica."""

    world: World
    image: str
    network: str
    passwords: dict[str, str] = field(
        default_factory=lambda: {name: f"canary-{secrets.token_hex(8)}" for name in ROLES.values()}
    )

    @property
    def env(self) -> dict[str, str]:
        """What the primary's container is given."""
        return {"DB_NAME": "pawpaw_db", "DB_USER": "pawpaw_app_a", **self.passwords}

    def primary(
        self,
        *options: str,
        volume: str = "data",
        server: tuple[str, ...] = (),
        healthy: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> Container:
        """Start the primary."""
        mounts = (self.world.mount(volume, DATA), self.world.mount("wal", "/wal_archive"))
        container = self.world.run(
            self.image,
            "postgres",
            *TMPFS,
            *mounts,
            *options,
            network=self.network,
            env={**self.env, **(env or {})},
            command=("start-primary", *server),
        )
        if healthy:
            container.wait_healthy()
        return container

    def replica(self, *, volume: str = "replica", healthy: bool = True, **env: str) -> Container:
        """Start the replica."""
        mounts = (self.world.mount(volume, DATA), self.world.mount("wal", "/wal_archive", read_only=True))
        container = self.world.run(
            self.image,
            "replica",
            *TMPFS,
            *mounts,
            network=self.network,
            env={"REPLICATOR_DB_PASSWORD": self.passwords["REPLICATOR_DB_PASSWORD"], **env},
            command=("start-replica",),
        )
        if healthy:
            container.wait_healthy()
        return container

    def login(
        self, container: Container, role: str, password: str, sql: str = "SELECT 1", *, host: str = "127.0.0.1"
    ) -> subprocess.CompletedProcess[str]:
        """Run SQL in the shop's database as a role, with a password."""
        return container.attempt(
            *("psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-h", host, "-U", role, "-d", "pawpaw_db", "-c", sql),
            env={"PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"},
        )

    def as_role(self, container: Container, role: str, sql: str) -> subprocess.CompletedProcess[str]:
        """Run SQL as a role that has its password from the environment."""
        return self.login(container, role, self.passwords[ROLES[role]], sql)

    def volume(self, name: str) -> Path:
        """Where the engine keeps a volume of this world on this machine."""
        listed = docker("volume", "inspect", "--format", "{{.Mountpoint}}", self.world.volume(name))
        return Path(listed.strip())


def sql(container: Container, statement: str, *, database: str = "pawpaw_db") -> str:
    """Run SQL over the socket as the superuser."""
    words = ("psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", statement)
    return container.exec(*words).strip()


@pytest.fixture
def cluster(world: World, postgres_image: str) -> Cluster:
    """Nothing runs yet."""
    return Cluster(world, postgres_image, world.network())


@pytest.fixture(scope="module")
def running(docker_engine: None, postgres_image: str) -> Iterator[tuple[Cluster, Container]]:
    """A primary for tests that change nothing of it."""
    with support_docker.world() as world:
        cluster = Cluster(world, postgres_image, world.network())
        yield cluster, cluster.primary()


def test_the_cluster_is_as_it_should_be(running: tuple[Cluster, Container]) -> None:
    _, primary = running
    database = "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database"
    assert sql(primary, f"{database} WHERE datname = 'pawpaw_db'") == "pawpaw_owner|UTF8|C.UTF-8|C.UTF-8"
    assert sql(primary, "SHOW data_checksums") == "on"
    slots = "SELECT slot_name, slot_type, wal_status FROM pg_replication_slots"
    assert sql(primary, slots) == "replica_1|physical|", "with no replica yet it holds nothing back"
    assert sql(primary, "SELECT count(*) > 0 FROM pg_stat_statements", database="postgres") == "t"
    assert sql(primary, "SELECT extname FROM pg_extension") == "plpgsql", "its dump needs no superuser"
    assert primary.inspect()["Config"]["User"] == "999:999"


def test_sizes_come_from_the_environment(cluster: Cluster) -> None:
    primary = cluster.primary(
        env={"PG_SHARED_BUFFERS": "48MB", "PG_MAX_CONNECTIONS": "60", "PG_MAX_SLOT_WAL_KEEP_SIZE": "96MB"}
    )
    shown = [sql(primary, f"SHOW {name}") for name in ("shared_buffers", "max_connections", "max_slot_wal_keep_size")]
    assert shown == ["48MB", "60", "96MB"]


def test_roles(running: tuple[Cluster, Container]) -> None:
    _, primary = running
    rows = sql(
        primary,
        "SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolreplication,"
        " coalesce(left(rolpassword, 14), 'none') FROM pg_authid WHERE rolname !~ '^pg_' ORDER BY 1",
    )
    assert rows.splitlines() == [
        "pawpaw_app_a|t|f|f|f|SCRAM-SHA-256$",
        "pawpaw_app_b|f|f|f|f|none",
        "pawpaw_backup|t|f|f|f|SCRAM-SHA-256$",
        "pawpaw_exporter|t|f|f|f|SCRAM-SHA-256$",
        "pawpaw_owner|f|f|f|f|none",
        "pawpaw_replicator|t|f|f|t|SCRAM-SHA-256$",
        "pawpaw_rotator|t|f|t|f|SCRAM-SHA-256$",
        "postgres|t|t|t|t|SCRAM-SHA-256$",
    ]


def test_what_the_app_makes_belongs_to_the_owner(running: tuple[Cluster, Container]) -> None:
    """So the other app role can alter it, and the session still shows who logged in."""
    cluster, primary = running
    done = cluster.as_role(primary, "pawpaw_app_a", "CREATE TABLE made (n int); INSERT INTO made VALUES (1)")
    assert done.returncode == 0, done.stderr
    assert sql(primary, "SELECT tableowner FROM pg_tables WHERE tablename = 'made'") == "pawpaw_owner"
    names = cluster.as_role(primary, "pawpaw_app_a", "SELECT session_user, current_user")
    assert names.stdout.strip() == "pawpaw_app_a|pawpaw_owner"

    refused = cluster.as_role(primary, "pawpaw_app_a", "CREATE ROLE intruder")
    assert "permission denied" in refused.stderr


def test_the_backup_role_reads_everything_and_writes_nothing(running: tuple[Cluster, Container]) -> None:
    cluster, primary = running
    sql(primary, "SET ROLE pawpaw_owner; CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1)")
    assert cluster.as_role(primary, "pawpaw_backup", "SELECT n FROM kept LIMIT 1").stdout == "1\n"
    dumped = primary.exec(
        *("pg_dump", "-h", "127.0.0.1", "-U", "pawpaw_backup", "pawpaw_db"),
        env={"PGPASSWORD": cluster.passwords["BACKUP_DB_PASSWORD"]},
    )
    assert "CREATE TABLE public.kept" in dumped
    assert "permission denied" in cluster.as_role(primary, "pawpaw_backup", "DELETE FROM kept").stderr


def test_the_exporter_sees_the_servers_state_and_no_data(running: tuple[Cluster, Container]) -> None:
    cluster, primary = running
    sql(primary, "SET ROLE pawpaw_owner; CREATE TABLE IF NOT EXISTS kept (n int)")
    seen = cluster.as_role(primary, "pawpaw_exporter", "SELECT sum(size) > 0 FROM pg_ls_waldir()")
    assert seen.stdout == "t\n"
    assert "permission denied" in cluster.as_role(primary, "pawpaw_exporter", "TABLE kept").stderr


def test_the_rotator_changes_passwords_but_not_the_superusers(running: tuple[Cluster, Container]) -> None:
    cluster, primary = running
    done = cluster.as_role(primary, "pawpaw_rotator", "ALTER ROLE pawpaw_app_b LOGIN PASSWORD 'x'")
    assert done.returncode == 0, done.stderr
    cluster.as_role(primary, "pawpaw_rotator", "ALTER ROLE pawpaw_app_b NOLOGIN PASSWORD NULL")
    refused = cluster.as_role(primary, "pawpaw_rotator", "ALTER ROLE postgres PASSWORD 'x'")
    assert "must be superuser" in refused.stderr


@pytest.mark.parametrize("where", ["127.0.0.1", "postgres"])
def test_only_the_right_password_is_let_in(running: tuple[Cluster, Container], where: str) -> None:
    """Over the network and over loopback, for every role; none and the wrong one are refused."""
    cluster, primary = running
    for role, name in ROLES.items():
        right = cluster.passwords[name]
        assert cluster.login(primary, role, right, host=where).stdout == "1\n", role
        for wrong in ("", right[:-1], secrets.token_hex(8)):
            refused = cluster.login(primary, role, wrong, host=where)
            assert refused.returncode != 0, (role, wrong)
            assert "password authentication failed" in refused.stderr or "no password supplied" in refused.stderr


def test_the_socket_knows_the_system_user_only(running: tuple[Cluster, Container]) -> None:
    cluster, primary = running
    right = cluster.passwords["DB_PASSWORD"]
    refused = cluster.login(primary, "pawpaw_app_a", right, host="/var/run/postgresql")
    assert "Peer authentication failed" in refused.stderr
    assert sql(primary, "SELECT current_user") == "postgres"


class Onlooker:
    """Reads the command line of every process of this machine, the containers' too, over and over."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.is_set():
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.seen.add(process.read_bytes().replace(b"\0", b" ").decode(errors="replace"))

    def saw(self, text: str) -> bool:
        """A command line had this in it."""
        return any(text in line for line in self.seen)


EVERYTHING = ("-c", "log_statement=all", "-c", "log_min_duration_statement=0")


def test_no_password_is_written_anywhere(cluster: Cluster) -> None:
    """With every statement logged: not in a log, on a command line, in the statistics, or in a file of a volume."""
    with Onlooker() as onlooker:
        primary = cluster.primary(server=EVERYTHING)
        replica = cluster.replica()
    assert onlooker.saw("initdb")
    assert onlooker.saw("\\password pawpaw_"), "the looking is quick enough to see them"
    assert onlooker.saw("pg_basebackup")
    logs = primary.logs() + replica.logs()
    assert logs.count("PASSWORD 'SCRAM-SHA-256$") == 5, "all statements are logged, these too"
    statements = sql(primary, "SELECT query FROM pg_stat_statements", database="postgres")
    for name, password in cluster.passwords.items():
        assert password not in logs, name
        assert password not in statements, name
        assert not onlooker.saw(password), name
    for volume in ("data", "replica", "wal"):
        assert files_with(cluster, volume, "canary") == ""
        assert files_with(cluster, volume, "SCRAM-SHA-256") != "", "the looking finds the verifiers"


def test_a_server_keeps_no_password_in_its_environment(cluster: Cluster) -> None:
    """From the second start on; the replica from its first. Its own login is in a file that only it can read."""
    primary = cluster.primary()
    replica = cluster.replica()
    primary.stop()
    primary.start()
    primary.wait_healthy()
    for container in (primary, replica):
        pid = container.exec("head", "-1", f"{DATA}/pgdata/postmaster.pid").strip()
        environment = container.exec("cat", f"/proc/{pid}/environ")
        assert "PGDATA=" in environment
        assert "canary" not in environment
    assert "conninfo" not in replica.exec("cat", f"{DATA}/pgdata/postgresql.auto.conf")
    assert replica.exec("stat", "-c", "%a", "/var/run/postgresql/replicator.pgpass") == "600\n"


STREAMS = "SELECT status FROM pg_stat_wal_receiver"


def test_rotate_ROT_14_a_standby_that_streams_with_a_password_of_before_is_found_out(cluster: Cluster) -> None:
    """Its session outlives the change, so that it looks well until it comes anew; with the new one it streams on."""
    primary, replica = cluster.primary(), cluster.replica()
    ask = try_primary("", replica.name)
    assert LocalRunner().ask(ask) == "accepted"
    cluster.passwords["REPLICATOR_DB_PASSWORD"] = f"canary-{secrets.token_hex(8)}"
    words = cluster.passwords["REPLICATOR_DB_PASSWORD"]
    sql(primary, f"ALTER ROLE pawpaw_replicator PASSWORD '{words}'")
    assert sql(replica, STREAMS, database="postgres") == "streaming"
    assert LocalRunner().ask(ask) == "refused"
    sql(primary, "SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
    wait_until(lambda: sql(replica, STREAMS, database="postgres") == "", "it cannot come back")
    replica.remove()
    replica = cluster.replica()
    before = sql(replica, "SELECT pid FROM pg_stat_wal_receiver", database="postgres")
    sql(primary, "SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
    anew = f"{STREAMS} WHERE pid <> {before}"
    wait_until(lambda: sql(replica, anew, database="postgres") == "streaming", "it comes back by itself")
    assert LocalRunner().ask(ask) == "accepted"
    primary.stop()
    assert LocalRunner().ask(ask) == "unreachable"


def files_with(cluster: Cluster, volume: str, text: str) -> str:
    """Name the files of a volume that have a text in them."""
    words = ("--rm", "--network=none", f"--volume={cluster.world.id}-{volume}:/looked:ro", "--entrypoint=grep")
    done = attempt("run", *words, cluster.image, "-rlaF", "--", text, "/looked")
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout


def test_a_cluster_killed_while_it_is_made_is_made_anew(cluster: Cluster, tmp_path: Path) -> None:
    """Also when it was killed after its roles were there: a half-made cluster is never taken for a whole one."""
    block = tmp_path / "50-block.sh"
    block.write_text("#!/bin/bash\necho blocked\nexec sleep infinity\n")
    block.chmod(0o755)
    primary = cluster.primary(f"--volume={block}:/docker-entrypoint-initdb.d/50-block.sh:ro", healthy=False)
    primary.wait_log("blocked")
    primary.kill()
    primary.remove()

    primary = cluster.primary()
    assert "was not finished; starting over" in primary.logs()
    assert cluster.as_role(primary, "pawpaw_app_a", "SELECT 1").stdout == "1\n"

    sql(primary, "CREATE TABLE kept AS SELECT 1 AS n")
    primary.exec("touch", f"{DATA}/init-unfinished")
    primary.kill()
    primary.start()
    primary.wait_healthy()
    assert sql(primary, "TABLE kept") == "1", "a finished cluster is never made anew, whatever lies beside it"


def make_roles(cluster: Cluster, passwords: Mapping[str, str]) -> Container:
    """Run the one-shot that makes what is missing, and wait for its end."""
    container = cluster.world.run(
        cluster.image,
        f"roles-{secrets.token_hex(2)}",
        *TMPFS,
        network=cluster.network,
        env={
            **{name: value for name, value in passwords.items() if name != "POSTGRES_PASSWORD"},
            "DB_NAME": "pawpaw_db",
            "DB_USER": "pawpaw_app_b",
            "PGHOST": "postgres",
            "PGPASSWORD": cluster.passwords["POSTGRES_PASSWORD"],
        },
        command=("make-roles",),
    )
    assert container.wait_ended() == 0, container.logs()
    return container


def test_roles_made_by_another_container(cluster: Cluster) -> None:
    """The primary knows no password but the first; what is there already is not changed, nor made again."""
    primary = cluster.primary(server=EVERYTHING, env=dict.fromkeys([*ROLES.values()][1:], ""))
    assert sql(primary, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'pawpaw%'", database="postgres") == "0"
    replica = cluster.replica(healthy=False)
    replica.wait_log("waiting for the primary")

    make_roles(cluster, cluster.passwords)
    verifiers = "SELECT string_agg(rolname || coalesce(rolpassword, ''), ' ' ORDER BY rolname) FROM pg_authid"
    before = sql(primary, verifiers)
    assert cluster.login(primary, "pawpaw_app_b", cluster.passwords["DB_PASSWORD"]).stdout == "1\n"
    assert sql(primary, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'pawpaw_app_a'") == "f"
    replica.wait_healthy()

    sql(primary, "ALTER DATABASE pawpaw_db RENAME TO pawpaw_db_retired", database="postgres")
    make_roles(cluster, dict.fromkeys(cluster.passwords, "canary-another"))
    assert sql(primary, verifiers, database="postgres") == before
    assert sql(primary, "SELECT count(*) FROM pg_database WHERE datname LIKE 'pawpaw%'", database="postgres") == "1"
    assert "canary" not in primary.logs()


@pytest.mark.parametrize("missing", [*ROLES.values(), "DB_NAME"])
def test_a_missing_secret_stops_it_before_anything_is_made(cluster: Cluster, missing: str) -> None:
    primary = cluster.primary(healthy=False, env={missing: ""})
    assert primary.wait_ended() == 78
    assert missing in primary.logs()
    assert list(cluster.volume("data").iterdir()) == []


def test_another_images_cluster_is_left_alone(cluster: Cluster) -> None:
    """A cluster at the root of the volume, as the official image makes it."""
    primary = cluster.primary("--env=PGDATA=/var/lib/postgresql/data/pgdata", volume="old", healthy=False)
    primary.wait_healthy()
    primary.stop()
    primary.remove()
    volume = cluster.volume("old")
    for file in (volume / "pgdata").iterdir():
        file.rename(volume / file.name)

    primary = cluster.primary(volume="old", healthy=False)
    assert primary.wait_ended() == 78
    assert "holds a cluster at its root" in primary.logs()
    assert (volume / "PG_VERSION").read_text() == "15\n"


def archived(primary: Container) -> list[str]:
    return primary.exec("ls", "-A", "/wal_archive").split()


def test_F3_segments_are_archived_whole_and_never_replaced(cluster: Cluster) -> None:
    primary = cluster.primary()
    sql(primary, "CREATE TABLE t AS SELECT 1 AS n")
    first = sql(primary, "SELECT pg_walfile_name(pg_switch_wal())")
    wait_until(lambda: first in archived(primary), f"{first} is archived")

    nxt = sql(primary, "INSERT INTO t VALUES (2); SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
    primary.exec("sh", "-c", f"echo other >/wal_archive/{nxt}")
    sql(primary, "SELECT pg_switch_wal()")
    wait_until(lambda: sql(primary, "SELECT failed_count > 0 FROM pg_stat_archiver") == "t", "the archiver fails")
    assert primary.exec("cat", f"/wal_archive/{nxt}") == "other\n"
    assert "exists with other contents; nothing was changed" in primary.logs()

    primary.exec("rm", f"/wal_archive/{nxt}")
    wait_until(lambda: sql(primary, "SELECT last_archived_wal FROM pg_stat_archiver") >= nxt, "it goes on by itself")
    assert not [name for name in archived(primary) if name.startswith(".")]


ARCHIVE = """
set -eu
cd /tmp && mkdir archive && head -c 16777216 /dev/urandom >segment && echo other >archive/B
export WAL_ARCHIVE_DIR=/tmp/archive
tried() { code=0; "$@" 2>/dev/null || code=$?; echo $code; }
tried archive-wal segment A; tried archive-wal segment A; cmp segment archive/A
tried archive-wal segment B
tried archive-wal none C
WAL_ARCHIVE_DIR=/tmp/none tried archive-wal segment A
ls -A archive; cat archive/B
"""


def test_F3_the_archive_command_by_itself(running: tuple[Cluster, Container]) -> None:
    """A retry is no fault; other contents, no segment and no archive are, and leave nothing behind."""
    _, primary = running
    assert primary.exec("bash", "-c", ARCHIVE).split() == ["0", "0", "1", "1", "1", "A", "B", "other"]


def test_F3_a_full_archive_stops_nothing_but_itself(cluster: Cluster) -> None:
    """No half segment is left under its name; the server goes on and says what is wrong."""
    primary = cluster.world.run(
        cluster.image,
        "postgres",
        *TMPFS,
        cluster.world.mount("data", DATA),
        "--tmpfs=/wal_archive:size=8m,uid=999,gid=999",
        network=cluster.network,
        env=cluster.env,
    )
    primary.wait_healthy()
    sql(primary, "CREATE TABLE t AS SELECT 1 AS n; SELECT pg_switch_wal()")
    wait_until(lambda: sql(primary, "SELECT failed_count > 0 FROM pg_stat_archiver") == "t", "the archiver fails")
    # A copy is there for as long as a retry fills it.
    assert [name for name in archived(primary) if not name.endswith(".copy")] == []
    wait_until(lambda: archived(primary) == [], "nothing is left between two tries")
    assert sql(primary, "INSERT INTO t VALUES (2) RETURNING n") == "2"
    assert "No space left on device" in primary.logs()


def test_F1_the_archive_leads_back_to_a_point_in_time(cluster: Cluster) -> None:
    """A base backup and the archive restore what was there at a named point, and not what came after it."""
    primary = cluster.primary()
    sql(primary, "CREATE TABLE t AS SELECT 'before' AS what")
    password = {"PGPASSWORD": cluster.passwords["REPLICATOR_DB_PASSWORD"]}
    base = cluster.world.run(
        cluster.image,
        "base",
        *TMPFS,
        cluster.world.mount("base", DATA),
        network=cluster.network,
        env=password,
        command=("pg_basebackup", "-h", "postgres", "-U", "pawpaw_replicator", "-D", f"{DATA}/pgdata", "-X", "none"),
    )
    assert base.wait_ended() == 0, base.logs()
    sql(primary, "INSERT INTO t VALUES ('at the point')")
    sql(primary, "SELECT pg_create_restore_point('here')")
    sql(primary, "INSERT INTO t VALUES ('after')")
    last = sql(primary, "SELECT pg_walfile_name(pg_switch_wal())")
    wait_until(lambda: last in archived(primary), f"{last} is archived")

    config = ("-c", "config_file=/etc/pawpaw-postgres/postgresql.conf", "-c", "archive_mode=off")
    target = ("-c", "restore_command=restore-wal %f %p", "-c", "recovery_target_name=here")
    recovered = cluster.world.run(
        cluster.image,
        "recovered",
        *TMPFS,
        cluster.world.mount("base", DATA),
        cluster.world.mount("wal", "/wal_archive", read_only=True),
        network=cluster.network,
        command=(
            *("sh", "-c", 'touch "$PGDATA/recovery.signal" && exec postgres "$@"', "sh"),
            *config,
            *target,
        ),
    )
    wait_until(lambda: recovered.attempt("pg_isready", "-h", "127.0.0.1").returncode == 0, "it recovers")
    assert sql(recovered, "TABLE t") == "before\nat the point"


def rows(container: Container) -> str:
    return sql(container, "SELECT count(*) FROM big")


def test_the_replica_streams_and_refuses_writes(cluster: Cluster) -> None:
    primary = cluster.primary()
    replica = cluster.replica()
    sql(primary, "CREATE TABLE t AS SELECT 'señal' AS n")
    wait_until(lambda: sql(replica, "SELECT to_regclass('t') IS NOT NULL") == "t", "the table arrives")
    assert sql(replica, "TABLE t") == "señal"
    slot = "SELECT active, wal_status FROM pg_replication_slots WHERE slot_name = 'replica_1'"
    assert sql(primary, slot) == "t|reserved"
    refused = cluster.login(replica, "pawpaw_app_a", cluster.passwords["DB_PASSWORD"], "CREATE TABLE x ()")
    assert "read-only transaction" in refused.stderr

    replica.kill()
    sql(primary, "INSERT INTO t VALUES ('meanwhile')")
    replica.start()
    replica.wait_healthy()
    wait_until(lambda: "meanwhile" in sql(replica, "TABLE t"), "it catches up")
    assert replica.logs().count("copying the primary") == 1, "a restart copies nothing"


def test_the_replica_reseeds_from_nothing(cluster: Cluster) -> None:
    primary = cluster.primary()
    replica = cluster.replica()
    replica.remove()
    docker("volume", "rm", f"{cluster.world.id}-replica")
    sql(primary, "CREATE TABLE t AS SELECT 1 AS n")

    replica = cluster.replica()
    assert "the copy is whole" in replica.logs()
    wait_until(lambda: sql(replica, "TABLE t") == "1", "the table is there")


def test_a_replica_killed_while_it_copies_starts_over(cluster: Cluster) -> None:
    primary = cluster.primary()
    sql(primary, BIG)
    volume = cluster.volume("replica")
    replica = cluster.replica(healthy=False)
    wait_until((volume / "pgdata.seeding" / "base").exists, "the copy begins", every_s=0.002)
    replica.kill()
    assert (volume / "pgdata.seeding").exists(), "it was killed in the middle"
    assert not (volume / "pgdata").exists()

    replica.start()
    replica.wait_healthy()
    assert rows(replica) == rows(primary) == "100000"
    assert sorted(path.name for path in volume.iterdir()) == ["pgdata"]


def test_a_replica_can_be_stopped_while_it_waits(cluster: Cluster) -> None:
    """With no primary it waits and says why; the signal ends it at once."""
    replica = cluster.replica(healthy=False)
    replica.wait_log("waiting for the primary")
    replica.stop(grace_s=20)
    assert replica.state["ExitCode"] == 143
    primary = cluster.primary()
    replica.start()
    replica.wait_healthy()
    assert sql(primary, "SELECT count(*) FROM pg_stat_replication") == "1"


def test_a_copy_of_another_system_is_thrown_away_only_when_told_so(cluster: Cluster) -> None:
    primary = cluster.primary()
    replica = cluster.replica()
    sql(primary, "CREATE TABLE old AS SELECT 1 AS n")
    wait_until(lambda: sql(replica, "SELECT to_regclass('old') IS NOT NULL") == "t", "the table arrives")
    replica.stop()
    replica.remove()
    primary.remove()
    docker("volume", "rm", f"{cluster.world.id}-wal")
    primary = cluster.primary(volume="new")

    replica = cluster.replica(healthy=False)
    assert replica.wait_ended() == 78
    assert "REPLICA_RESEED=yes" in replica.logs()
    assert (cluster.volume("replica") / "pgdata" / "standby.signal").exists()
    replica.remove()

    replica = cluster.replica(REPLICA_RESEED="yes")
    assert sql(replica, "SELECT to_regclass('old') IS NULL") == "t"
    replica.stop()
    replica.start()
    replica.wait_healthy()
    assert replica.logs().count("copying anew") == 1


def test_the_replica_serves_reads_without_its_primary(cluster: Cluster) -> None:
    primary = cluster.primary()
    sql(primary, "CREATE TABLE t AS SELECT 1 AS n")
    replica = cluster.replica()
    replica.stop()
    primary.stop()
    replica.start()
    wait_until(lambda: replica.attempt("pg_isready", "-h", "127.0.0.1").returncode == 0, "it serves")
    assert sql(replica, "TABLE t") == "1"
    assert replica.attempt("pg-healthy").returncode != 0, "it does not stream, and says so"


def test_an_absent_replica_costs_a_bounded_disk_and_comes_back_by_the_archive(cluster: Cluster) -> None:
    """The slot is given up at its bound; the replica reads from the archive what the primary no longer has."""
    primary = cluster.primary(
        env={"PG_MAX_SLOT_WAL_KEEP_SIZE": "32MB", "PG_MAX_WAL_SIZE": "64MB", "PG_MIN_WAL_SIZE": "32MB"}
    )
    replica = cluster.replica()
    replica.stop()
    sql(primary, BIG)
    sql(primary, "CHECKPOINT")
    slot = "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'replica_1'"
    wait_until(lambda: sql(primary, slot) == "lost", "the slot is given up")
    wait_until(
        lambda: sql(primary, "CHECKPOINT; SELECT sum(size) < 160e6 FROM pg_ls_waldir()") == "t", "WAL is bounded"
    )

    replica.start()
    replica.wait_healthy()
    wait_until(lambda: rows(replica) == "100000", "it has caught up")
    assert replica.logs().count("copying the primary") == 1
    assert sql(primary, slot) == "reserved"


def test_it_stops_in_order(cluster: Cluster) -> None:
    """The image's own signal: sessions end, nothing is left to recover."""
    primary = cluster.primary()
    with ThreadPoolExecutor() as pool:
        busy = pool.submit(
            cluster.login, primary, "pawpaw_app_a", cluster.passwords["DB_PASSWORD"], "SELECT pg_sleep(60)"
        )
        active = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'pawpaw_app_a' AND state = 'active'"
        wait_until(lambda: sql(primary, active) == "1", "a session is busy")
        primary.stop()
        assert busy.result().returncode != 0
    assert primary.state["ExitCode"] == 0
    assert primary.logs().rstrip().endswith("database system is shut down")
