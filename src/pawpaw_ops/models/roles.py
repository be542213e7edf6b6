"""The roles of a database: those that there shall be, and what a database owned by others looks like."""

from collections.abc import Mapping

from pawpaw_ops.models.base import Noun

OWNER = "pawpaw_owner"
APP_LOGINS = ("pawpaw_app_a", "pawpaw_app_b")


class Wanted(Noun):
    """A role that there shall be.

    Attributes:
        words: Attributes as `CREATE ROLE` spells them.
        member_of: The role whose rights it has; empty is none.
    """

    name: str
    words: str
    member_of: str = ""

    @property
    def attributes(self) -> str:
        """What stands behind the name in `CREATE ROLE`."""
        return f"{self.words} IN ROLE {self.member_of}" if self.member_of else self.words


ROLES = (
    Wanted(name=OWNER, words="NOLOGIN"),
    *(Wanted(name=name, words="NOLOGIN", member_of=OWNER) for name in APP_LOGINS),
    Wanted(name="pawpaw_backup", words="LOGIN", member_of="pg_read_all_data"),
    Wanted(name="pawpaw_exporter", words="LOGIN CONNECTION LIMIT 8", member_of="pg_monitor"),
    Wanted(name="pawpaw_rotator", words="LOGIN CREATEROLE CONNECTION LIMIT 4"),
    Wanted(name="pawpaw_replicator", words="LOGIN REPLICATION"),
)
"""In the order in which they are made; a unit test holds them against stack/postgres/bin/make-roles."""


class RoleSeen(Noun):
    """A role as it is.

    Attributes:
        words: Attributes that it has, of those that `CREATE ROLE` spells in one word.
        member_of: Roles that it is a direct member of.
        inherits: Whether it has their rights without asking.
        has_password: Whether the server keeps a verifier for it.
        works_as: The role that its sessions take on; empty is itself.
    """

    name: str
    words: frozenset[str] = frozenset()
    member_of: tuple[str, ...] = ()
    inherits: bool = True
    has_password: bool = False
    works_as: str = ""


class ObjectSeen(Noun):
    """An object of the database that has an owner. Its names are SQL, quoted by the server.

    Attributes:
        kind: As `pg_identify_object` calls it: `table`, `large object`.
        name: Its identity.
        owner: Whose it is, as SQL.
        movable: Whether that is the login of the application, or a superuser.
        bound: Why it must stay a superuser's; empty where it need not.
        granted: Privileges that the owner-to-be holds already, `SELECT` or `UPDATE ("a")`, and whether it may hand
            them on.
        moved: SQL that asks whether it is the owner-to-be's by now.
    """

    kind: str
    name: str
    owner: str
    movable: bool = True
    bound: str = ""
    granted: tuple[tuple[str, bool], ...] = ()
    moved: str = ""


class Privilege(Noun):
    """A privilege on an object; names are SQL.

    Attributes:
        movable: Whether the object is the application's login's, a superuser's, or the owner-to-be's.
    """

    kind: str
    name: str
    privilege: str
    movable: bool = False


class DefaultPrivilege(Noun):
    """What somebody gets on what a role will make; names are SQL.

    Attributes:
        schema_name: In which schema; empty is everywhere.
        objects: `TABLES`, `SEQUENCES`, `ROUTINES`, `TYPES` or `SCHEMAS`.
        grantee: Who; `PUBLIC` is everybody.
        grantable: Whether they may hand it on.
        taken: Whether it is taken from what everybody has anyway.
    """

    schema_name: str
    objects: str
    grantee: str
    privilege: str
    grantable: bool = False
    taken: bool = False


class Found(Noun):
    """Who owns and who logs in.

    Attributes:
        database: Name of the database, as SQL.
        login: Who the application logs in as, as SQL.
        login_is_superuser: Whether that is one.
        roles: Role -> how it is; those of `ROLES` that there are, and the login under its own name.
        superusers: Names of all superusers.
        objects: All objects that have an owner of their own, but for the server's and the extensions'.
        lacking: Privileges that the login has and the owner-to-be has not, on objects that do not move.
        defaults: Default privileges of the login that the owner-to-be does not have.
        notes: What is neither moved nor owned and changes its meaning: kind and name -> why.
    """

    database: str
    login: str
    login_name: str
    login_is_superuser: bool
    roles: Mapping[str, RoleSeen]
    superusers: frozenset[str]
    objects: tuple[ObjectSeen, ...] = ()
    lacking: tuple[Privilege, ...] = ()
    defaults: tuple[DefaultPrivilege, ...] = ()
    notes: Mapping[str, str] = {}
