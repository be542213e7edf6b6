"""Whether client tools in containers work here, before anything depends on them."""

from pawpaw_ops.commands import contained
from pawpaw_ops.errors import CommandError, CommandNotFound, PreconditionError
from pawpaw_ops.models.database import ToolImage
from pawpaw_ops.session import Session


def check_tools(do: Session) -> None:
    """Prove that the database's client tools work here; those on this host need no proof. Errors as in `check_image`.

    Touches:
        A file in the scratch folder, for a moment.
    """
    image = do.stack.database.tools.image
    if image is not None:
        check_image(do, image, block="PostgresDatabase")


def check_image(do: Session, image: ToolImage, *, block: str) -> None:
    """Prove that a container of the server's image sees our scratch folder, and that what it writes there is ours.

    Args:
        do: The session.
        image: The image.
        block: Type of the block that names its container, for the hint.

    Raises:
        CommandNotFound: There is no Docker CLI, or the image has not even the program that makes a file.
        PreconditionError: The engine has another file system, or gives its containers other users.

    Touches:
        A file in the scratch folder, for a moment.
    """
    file = do.scratch_folder() / ".probe"
    hint = f"Run the worker on the engine's own host and user space, or set tools_folder in the {block} block."
    tried = f"ran a program of the image of {image.name} to write to {file.parent}"
    try:
        do.runner.run(contained.probe(image, file))
    except CommandNotFound:
        raise
    except CommandError as seen:
        said = seen.stderr_tail.strip() or seen.message
        raise PreconditionError(f"{tried}, and it could not: {said}", hint=hint) from seen
    if not file.exists():
        raise PreconditionError(f"{tried}, and it wrote somewhere else: the engine's host is another one.", hint=hint)
    file.unlink()
