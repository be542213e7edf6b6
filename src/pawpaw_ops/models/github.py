"""A repository on GitHub, and a deployment that its page shows."""

from pydantic import Field, SecretStr

from pawpaw_ops.models.base import Noun

API = "https://api.github.com"


class GitHub(Noun):
    """Where deployments are told.

    Attributes:
        repository: `owner/name`.
        token: May write deployments (`repo_deployment`, or the fine-grained permission Deployments).
        api_url: Another address for GitHub Enterprise.
        environment_url: What the deployment's page links to as the result; empty for none.
        secrets: Variables of the `.env` that the repository has as secrets of the same name.
        environment: The repository's environment that has secrets of its own; empty for none.
        environment_secrets: Variables of the `.env` that this environment has as secrets of the same name.
    """

    repository: str = Field(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$")
    token: SecretStr
    api_url: str = API
    environment_url: str = ""
    secrets: tuple[str, ...] = ()
    environment: str = ""
    environment_secrets: tuple[str, ...] = ()

    @property
    def scopes(self) -> dict[str, tuple[str, ...]]:
        """Environment, empty for the repository itself -> the secrets that it has of us."""
        found = {"": self.secrets} if self.secrets else {}
        return found | ({self.environment: self.environment_secrets} if self.environment_secrets else {})
