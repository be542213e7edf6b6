"""The verbs, as one table: what each may do to a stack. README's table and the contract tests read it."""

from pawpaw_ops.models.base import Noun

TAG = "pawpaw"
"""What every deployment and run of ours in Prefect is tagged with."""


class Verb(Noun):
    """One lifecycle verb.

    Attributes:
        flow: `module:function` below `flows`.
        does: One line for the README.
        touches: What in the world changes.
        undone_by: How it is taken back.
        when: When it is run.
        locks: Whether it takes the stack's lock.
        approval: Whether it waits for a person unless told `approve=true`.
        containers: Whether it works on the stack's containers; the demo has none.
        in_freeze: Whether it works on a frozen stack; one that takes no lock does.
    """

    name: str
    flow: str
    does: str
    touches: str
    undone_by: str
    when: str
    locks: bool = True
    approval: bool = False
    containers: bool = False
    in_freeze: bool = False


VERBS: tuple[Verb, ...] = (
    Verb(
        name="backup-db",
        flow="backup:backup_db",
        does="dump in one snapshot, fingerprint, seal, publish, prove the stored bytes, expire old ones",
        touches="staging folder, backup store, WAL that nobody needs any more",
        undone_by="nothing is visible until the manifest is; a failed run leaves nothing",
        when="daily 03:00",
        in_freeze=True,
    ),
    Verb(
        name="list-backups",
        flow="list_backups:list_backups",
        does="show every backup with age, size, where, and whether it is verified",
        touches="nothing",
        undone_by="–",
        when="by hand",
        locks=False,
    ),
    Verb(
        name="restore-db",
        flow="restore:restore_db",
        does="restore beside the live database, prove it equal, ask, swap names",
        touches="a side database, then two names in one transaction",
        undone_by="`undo-restore`",
        when="by hand",
        approval=True,
    ),
    Verb(
        name="undo-restore",
        flow="undo_restore:undo_restore",
        does="swap the replaced database back in",
        touches="two names in one transaction",
        undone_by="`undo-restore` again",
        when="by hand",
        approval=True,
    ),
    Verb(
        name="backup-redis",
        flow="backup_redis:backup_redis",
        does="let Redis send a snapshot (or copy its append-only files), prove it in a Redis of its own, seal, publish",
        touches="staging folder, backup store",
        undone_by="nothing is visible until the manifest is; a failed run leaves nothing",
        when="daily 03:30",
        in_freeze=True,
    ),
    Verb(
        name="restore-redis",
        flow="restore_redis:restore_redis",
        does="prove the backup in a Redis of its own, build it beside the live data, ask, exchange names",
        touches="one folder beside the live data, then two names; Redis restarts once",
        undone_by="`undo-restore-redis`",
        when="by hand",
        approval=True,
    ),
    Verb(
        name="undo-restore-redis",
        flow="undo_restore_redis:undo_restore_redis",
        does="exchange the replaced data of Redis back in",
        touches="two names; Redis restarts once",
        undone_by="`undo-restore-redis` again",
        when="by hand",
        approval=True,
    ),
    Verb(
        name="drill-restore",
        flow="drill_restore:drill_restore",
        does="restore the newest and one older backup into a throw-away server and climb the ladder of proof",
        touches="a server of its own; proofs in the store",
        undone_by="–",
        when="weekly",
        locks=False,
    ),
    Verb(
        name="build-images",
        flow="build_images:build_images",
        does="build what a commit has, all of it or nothing, and write down each image's id",
        touches="images on the engine, its record; a registry with `push`",
        undone_by="a failed build leaves no name and no record",
        when="by hand, CI",
        locks=False,
        containers=True,
    ),
    Verb(
        name="run-tests",
        flow="run_tests:run_tests",
        does="run the shop's suites on a build's sources, start its images on empty servers, judge them by id",
        touches="containers of its own; the build's verdict",
        undone_by="–",
        when="after a build",
        locks=False,
        containers=True,
    ),
    Verb(
        name="deploy",
        flow="deploy:deploy",
        does="start new replicas beside the old, prove them, switch the gateway, soak, end the old",
        touches="migrations, containers of changed services, the gateway's files, images in `.env`; "
        "on a full disk unneeded images",
        undone_by="itself when it fails; later `rollback`",
        when="after a build",
        containers=True,
    ),
    Verb(
        name="rollback",
        flow="rollback:rollback",
        does="bring the images of an earlier release back, the way of a deploy",
        touches="containers of changed services, the gateway's files, images in `.env`",
        undone_by="`deploy`",
        when="by hand",
        containers=True,
    ),
    Verb(
        name="reconcile-gateway",
        flow="reconcile_gateway:reconcile_gateway",
        does="hold the gateway's files against the replicas that there are, and make them true",
        touches="the gateway's files",
        undone_by="itself when it fails",
        when="every 5 minutes, at once with `pawpaw watch`",
        containers=True,
        in_freeze=True,
    ),
    Verb(
        name="recover",
        flow="recover:recover",
        does="take back what dead runs began, or finish what they had decided; any verb does so first",
        touches="what their journals say",
        undone_by="–",
        when="by hand",
        in_freeze=True,
    ),
    Verb(
        name="freeze",
        flow="freeze:freeze",
        does="let nothing change the stack, and say why to whoever tries",
        touches="`freeze.json`",
        undone_by="`unfreeze`",
        when="by hand",
        locks=False,
    ),
    Verb(
        name="unfreeze",
        flow="unfreeze:unfreeze",
        does="let the stack be changed again",
        touches="`freeze.json`",
        undone_by="`freeze`",
        when="by hand",
        locks=False,
    ),
    Verb(
        name="prune",
        flow="prune:prune",
        does="show what fills the disk and which images nobody needs, and remove exactly those that were shown",
        touches="images, ended one-off containers, old records; never a volume",
        undone_by="a build of that version",
        when="weekly",
        approval=True,
        containers=True,
    ),
    Verb(
        name="prune-backups",
        flow="prune_backups:prune_backups",
        does="on a full disk, remove the oldest backups here that another location has too, once those were read again",
        touches="the store's folder",
        undone_by="the copies elsewhere",
        when="by hand",
        approval=True,
        in_freeze=True,
    ),
    Verb(
        name="renew-certificates",
        flow="renew_certificates:renew_certificates",
        does="obtain a certificate when it is time, load it, and see it served on every name",
        touches="the gateway's certificate, an order at the authority",
        undone_by="itself when it fails: the old one stays",
        when="every 12 hours",
        in_freeze=True,
        containers=True,
    ),
    Verb(
        name="check-hardening",
        flow="check_hardening:check_hardening",
        does="hold files, containers and the Prefect server against how they should be, with the fix for each finding",
        touches="nothing",
        undone_by="–",
        when="weekly",
        locks=False,
        containers=True,
    ),
    Verb(
        name="audit-dependencies",
        flow="audit_dependencies:audit_dependencies",
        does="ask what is known against packages and base images; with `update` prove better locks and ask for them",
        touches="nothing; with `update` a branch and a pull request",
        undone_by="close the pull request",
        when="weekly",
        locks=False,
        containers=True,
    ),
    Verb(
        name="check-secrets",
        flow="check_secrets:check_secrets",
        does="hold the secrets of `.env`, containers, servers and blocks against one another, without showing one",
        touches="nothing",
        undone_by="–",
        when="daily 06:00",
        locks=False,
        containers=True,
    ),
    Verb(
        name="adopt-roles",
        flow="adopt_roles:adopt_roles",
        does="bring a database that the application's login owns to an owner who cannot log in and two logins that can",
        touches="roles, owners and privileges of the database",
        undone_by="itself when it fails",
        when="by hand, once",
        approval=True,
        containers=True,
    ),
    Verb(
        name="rotate-secrets",
        flow="rotate_secrets:rotate_secrets",
        does="let the servers accept new secrets beside the old, move what serves over to them, prove it",
        touches="the database's logins, a user of Redis, Grafana's administrator, `.env`, and what a deploy touches",
        undone_by="itself when it fails; one that died goes on or is dropped (`unfinished`)",
        when="by hand",
        containers=True,
    ),
    Verb(
        name="retire-secrets",
        flow="retire_secrets:retire_secrets",
        does="end the old secrets that a rotation left valid for a while, when it is time and nobody uses them",
        touches="the old login, a user of Redis; for the key of sessions what a deploy touches",
        undone_by="`rotate-secrets` again",
        when="every 15 minutes",
        containers=True,
    ),
)
