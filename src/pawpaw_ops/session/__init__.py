"""What every changing verb runs inside: lock, journal, undo, audit record."""

from pawpaw_ops.session.journal import Undo
from pawpaw_ops.session.session import Session, open_session

__all__ = ["Session", "Undo", "open_session"]
