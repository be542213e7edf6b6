"""A registry of images."""

from pydantic import SecretStr

from pawpaw_ops.models.base import Noun


class Registry(Noun):
    """Where images are sent.

    Attributes:
        prefix: How names of its images begin: `ghcr.io/pawpaw`; empty means that nothing is sent.
        username: Login; empty where it wants none.
        password: Its password or token.
    """

    prefix: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")

    def for_image(self, ref: str) -> "Registry":
        """Return the login for an image: this one where it is of this registry, else none; nobody else gets it."""
        return self if self.prefix and _host(ref) == _host(self.prefix) else Registry()


def _host(name: str) -> str:
    return name.partition("/")[0]
