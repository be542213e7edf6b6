"""What our blocks share: one way in, with errors that say what to do."""

from copy import deepcopy
from typing import Any, Self, TypeVar, cast

from prefect.blocks.core import Block
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from pydantic import ValidationError

from pawpaw_ops.clients.http import NO_ANSWER
from pawpaw_ops.errors import ConfigError, Unreachable
from pawpaw_ops.redaction import learn

APPLY = "`pawpaw apply FILE` creates and updates the blocks (deployments/blocks.example.toml is an example)."

B = TypeVar("B", bound=Block)
_SCHEMAS: dict[tuple[Any, ...], dict[str, Any]] = {}


class OpsBlock(Block):
    """The base of our blocks; never saved itself."""

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """Return the schema, made once: Prefect asks for it once per field, and saving a stack took seconds."""
        key = (cls, args, tuple(sorted(options.items())))
        if key not in _SCHEMAS:
            _SCHEMAS[key] = super().model_json_schema(*args, **options)
        return deepcopy(_SCHEMAS[key])

    @classmethod
    def named(cls, name: str) -> Self:
        """Load the block of that name, in sync and async code alike.

        Raises:
            ConfigError: There is none, or it does not fit this version.
            Unreachable: The Prefect server did not answer, or not as it should.
        """
        return load_named(cls, name)


def load_named(kind: type[B], name: str) -> B:
    """Load a block of any type, also one that is not ours; errors as in `OpsBlock.named`.

    Touches:
        What this process says: the secrets of the block are kept out of it from now on.
    """
    what = f"the block {kind.get_block_type_slug()}/{name}"
    try:
        found = cast("B", kind.load(name, _sync=True))  # type: ignore[call-arg]
    except NO_ANSWER as seen:
        raise Unreachable(
            f"asked the Prefect server for {what} and it did not answer: {seen}.",
            hint="Check PREFECT_API_URL and that the server runs.",
        ) from seen
    except PrefectHTTPStatusError as seen:
        raise Unreachable(
            f"asked the Prefect server for {what} and it answered {seen.response.status_code}.",
            hint="401 and 403: check PREFECT_API_AUTH_STRING. 5xx: see the server's log.",
        ) from seen
    except (ValueError, RuntimeError) as seen:
        raise _config_error(what, seen.__cause__ or seen) from seen.__cause__
    learn(found)
    return found


def _config_error(what: str, seen: BaseException) -> ConfigError:
    """Tell a missing block from one that does not fit; never show a value."""
    if isinstance(seen, ObjectNotFound):
        return ConfigError(f"asked the Prefect server for {what} and there is none.", hint=APPLY)
    if isinstance(seen, ValidationError):
        return ConfigError(f"{what} does not fit this version: {wrong_fields(seen)}.", hint=APPLY)
    return ConfigError(f"{what} could not be read: {type(seen).__name__}.", hint=APPLY)


def wrong_fields(seen: ValidationError) -> str:
    """Return `field: reason` for each wrong field, without the values."""
    errors = seen.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(str(part) for part in error['loc']) or 'all'}: {error['msg']}" for error in errors)
