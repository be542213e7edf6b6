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
    """

    repository: str = Field(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$")
    token: SecretStr
    api_url: str = API
    environment_url: str = ""
