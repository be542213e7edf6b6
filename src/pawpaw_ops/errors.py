"""Errors that say in which state the stack is, and what to do next.

OpsError                      .code (stable slug, a heading in docs/errors.md)   .hint (what to do)
├── Untouched                 nothing changed
│   ├── ConfigError           a block, parameter or file is wrong
│   ├── PreconditionError     the world is not as this verb needs it
│   │   ├── Unreachable       a server or store did not answer
│   │   ├── IdentityMismatch  another server or database than the configured one
│   │   ├── VersionMismatch   client tools, server and backup do not fit each other
│   │   ├── DiskTooSmall      not enough room
│   │   ├── BackupMissing     no such backup
│   │   ├── BackupCorrupt     stored bytes are not what was stored
│   │   ├── WrongKey          no identity at hand opens the backup
│   │   ├── RoleMissing       a role the backup needs cannot be made
│   │   ├── ExtensionMissing  the server cannot offer an extension of the backup
│   │   ├── Blocked           something uses the database that must not be interrupted
│   │   ├── Frozen            nothing may change the stack until somebody says so
│   │   └── NotApproved       nobody approved, or the world changed since the preview
│   ├── BuildFailed           an image could not be built; its last output is quoted
│   └── LockHeld              another run works on the stack: who, since when, doing what
├── Undone                    failed and undone: the stack is as before
├── HalfDone                  between two states: .next_step is the heading and the command to go on with
├── VerificationError         it ran, and the result does not hold
├── StoreError                an object store refused or mangled a request
└── CommandError              one process failed: .exit_code .stderr_tail
    ├── CommandNotFound       (also FileNotFoundError)
    └── CommandTimedOut       (also TimeoutError)

Lower layers raise what they saw; the session decides what leaves it (`pawpaw_ops.session`).
"""

from typing import ClassVar


class OpsError(Exception):
    """The root; never raised itself.

    Args:
        message: What was tried and what was seen, with units.
        hint: What to do next.
    """

    code: ClassVar[str] = "ops-error"

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return the message, the hint and the code, in that order."""
        tail = f" {self.hint}" if self.hint else ""
        return f"{self.message}{tail} [{self.code}]"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by message and state, whatever a subclass adds."""
        return (type(self), (self.message,), self.__dict__)


class Untouched(OpsError):
    """Nothing changed; mend the cause and run again."""

    code = "untouched"


class ConfigError(Untouched, ValueError):
    """A block, a parameter or a file is wrong."""

    code = "config"


class PreconditionError(Untouched):
    """The world is not as this verb needs it."""

    code = "precondition"


class Unreachable(PreconditionError, ConnectionError):
    """A server or a store did not answer."""

    code = "unreachable"


class IdentityMismatch(PreconditionError):
    """Another server or database answers than the configured one."""

    code = "identity-mismatch"


class VersionMismatch(PreconditionError):
    """Client tools, server and backup do not fit each other."""

    code = "version-mismatch"


class DiskTooSmall(PreconditionError):
    """Not enough room; the message has the bytes needed and available."""

    code = "disk-too-small"


class BackupMissing(PreconditionError, LookupError):
    """No such backup, or none that may be used."""

    code = "backup-missing"


class BackupCorrupt(PreconditionError):
    """The stored bytes are not what was stored, or were never a complete backup."""

    code = "backup-corrupt"


class WrongKey(PreconditionError):
    """No identity at hand opens this backup."""

    code = "wrong-key"


class RoleMissing(PreconditionError):
    """A role that the backup needs does not exist and may not be made."""

    code = "role-missing"


class ExtensionMissing(PreconditionError):
    """The server cannot offer an extension that the backup needs."""

    code = "extension-missing"


class Blocked(PreconditionError):
    """Something uses the database that must not be interrupted; the message names it."""

    code = "blocked"


class Frozen(PreconditionError):
    """Nothing may change the stack until somebody says so; the message says why, who and since when."""

    code = "frozen"


class NotApproved(PreconditionError):
    """Nobody approved in time, the answer was no, or the world changed since the preview."""

    code = "not-approved"


class BuildFailed(Untouched):
    """An image could not be built; the builder's last output is quoted."""

    code = "build-failed"


class LockHeld(Untouched, BlockingIOError):
    """Another run works on this stack; the message names it."""

    code = "lock-held"


class Undone(OpsError):
    """It failed and every change was undone; the cause is chained and quoted."""

    code = "undone"
    cause_code: str = ""


class HalfDone(OpsError):
    """The stack is between two states; open *next_step* now."""

    code = "half-done"
    next_step: str = ""


class VerificationError(OpsError):
    """It ran, and the result does not hold."""

    code = "verification"


class StoreError(OpsError):
    """An object store refused, lost or mangled a request."""

    code = "store"


class CommandError(OpsError):
    """One process failed."""

    code = "command-failed"
    exit_code: int | None = None
    stderr_tail: str = ""


class CommandNotFound(CommandError, FileNotFoundError):
    """The program is not installed where it was looked for."""

    code = "command-not-found"


class CommandTimedOut(CommandError, TimeoutError):
    """The process outlived its deadline and was ended."""

    code = "command-timed-out"
