"""The block of the secret keys."""

from pydantic import Field, SecretStr

from blocks.base import OpsBlock
from pawpaw_ops.errors import ConfigError


class BackupIdentity(OpsBlock):
    """The age secret keys that open backups. Only restore-db and drill-restore load it; backing up works without."""

    _block_type_name = "Backup Identity"

    identities: list[SecretStr] = Field(
        min_length=1,
        description="Secret keys, each beginning with AGE-SECRET-KEY-1. Keep old ones as long as backups need them.",
    )

    def keys(self) -> tuple[SecretStr, ...]:
        """Return the keys.

        Raises:
            ConfigError: One of them is empty.
        """
        if not all(key.get_secret_value().strip() for key in self.identities):
            raise ConfigError(
                "a key in the BackupIdentity block is empty.", hint="`pawpaw new-key` makes a pair of keys."
            )
        return tuple(self.identities)
