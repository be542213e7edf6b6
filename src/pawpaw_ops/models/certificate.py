"""The gateway's certificate: the one there is, and the one that is wanted."""

from pydantic import AwareDatetime

from pawpaw_ops.models.base import Noun


class Certificate(Noun):
    """A certificate as anybody can read it.

    Attributes:
        serial: In hexadecimal; no other certificate of its issuer has it.
        names: Host names that it is for.
        self_signed: Nobody vouches for it: the gateway made it for want of a real one.
    """

    serial: str
    names: tuple[str, ...]
    not_before: AwareDatetime
    not_after: AwareDatetime
    self_signed: bool


class WantedCertificate(Noun):
    """What the `.env` asks for.

    Attributes:
        names: Host names; the first is the shop's.
        directory: Address of the certificate authority.
        email: Where it may write to; empty for nowhere.
        ca_bundle: File with the authority that vouches for the directory itself; empty for those of this host.
    """

    names: tuple[str, ...]
    directory: str
    email: str = ""
    ca_bundle: str = ""


class Attempts(Noun):
    """Tries in a row that failed: an authority that is asked too often answers nobody."""

    failed: int = 0
    last_at: AwareDatetime | None = None
    why: str = ""
