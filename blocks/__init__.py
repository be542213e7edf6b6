"""Where: the settings and credentials of the stacks, as Prefect blocks."""

from blocks.database import PostgresDatabase
from blocks.github import GitHubRepository
from blocks.identity import BackupIdentity
from blocks.project import ComposeProject
from blocks.redis import RedisServer
from blocks.stack import Stack
from blocks.store import BackupStore

__all__ = [
    "BackupIdentity",
    "BackupStore",
    "ComposeProject",
    "GitHubRepository",
    "PostgresDatabase",
    "RedisServer",
    "Stack",
]
