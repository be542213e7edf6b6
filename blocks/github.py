"""The block of a repository on GitHub."""

from pydantic import Field, SecretStr

from blocks.base import OpsBlock
from pawpaw_ops.models.github import API, GitHub


class GitHubRepository(OpsBlock):
    """Where a stack's deploys are shown on GitHub: the repository, and a token that may write its deployments."""

    _block_type_name = "GitHub Deployments"

    repository: str = Field(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", description="The repository as owner/name.")
    token: SecretStr = Field(description="A token that may write deployments, and needs no other right.")
    api_url: str = Field(default=API, description="Address of the API; another one for GitHub Enterprise.")
    environment_url: str = Field(default="", description="Address of the shop, linked on the deployment. Empty: none.")

    def settings(self) -> GitHub:
        """Return the frozen settings."""
        return GitHub(
            repository=self.repository,
            token=self.token,
            api_url=self.api_url,
            environment_url=self.environment_url,
        )
