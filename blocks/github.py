"""The block of a repository on GitHub."""

from pydantic import Field, SecretStr

from blocks.base import OpsBlock
from pawpaw_ops.models.github import API, GitHub


class GitHubRepository(OpsBlock):
    """Where a stack's deploys are shown on GitHub: the repository, and a token that may write its deployments."""

    _block_type_name = "GitHub Deployments"

    repository: str = Field(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", description="The repository as owner/name.")
    token: SecretStr = Field(
        description="A token that may write deployments, and nothing else but secrets that are named below."
    )
    api_url: str = Field(default=API, description="Address of the API; another one for GitHub Enterprise.")
    environment_url: str = Field(default="", description="Address of the shop, linked on the deployment. Empty: none.")

    secrets: list[str] = Field(
        default_factory=list,
        description="Variables of the .env that the repository has as secrets of the same name; rotate-secrets writes "
        "them. The token then needs the right Secrets: write.",
    )
    environment: str = Field(default="", description="The repository's environment that has secrets of its own.")
    environment_secrets: list[str] = Field(
        default_factory=list,
        description="Variables of the .env that this environment has as secrets. Needs Environments: write.",
    )

    def settings(self) -> GitHub:
        """Return the frozen settings."""
        return GitHub(
            repository=self.repository,
            token=self.token,
            api_url=self.api_url,
            environment_url=self.environment_url,
            secrets=tuple(self.secrets),
            environment=self.environment,
            environment_secrets=tuple(self.environment_secrets),
        )
