"""What fills the disk, and whether removing images helps."""

import pytest

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.plans import growth
from pawpaw_ops.plans.growth import Held
from pawpaw_ops.plans.preflight import Disk

GIB = 1 << 30


def disk(used_gib: int, *, total_gib: int = 100, inodes: tuple[int, int] = (0, 0)) -> Disk:
    free = (total_gib - used_gib) * GIB
    return Disk(bytes_total=total_gib * GIB, bytes_free=free, inodes_free=inodes[0], inodes_total=inodes[1])


HELD = (
    Held(what="imágenes", size_bytes=90 * GIB),
    Held(what="WAL", size_bytes=40 * GIB, remedy="Drop the slot."),
    Held(what="registros", size_bytes=2 * GIB, remedy="Set max-size."),
    Held(what="Loki", size_bytes=None, remedy="Ask it."),
)


def test_prune_PRN_10_when_wal_fills_the_disk_it_is_named_and_nothing_goes() -> None:
    with pytest.raises(PreconditionError, match=r"WAL: 40\.0 GiB; registros: 2\.0 GiB\. Drop the slot"):
        growth.check_helps(disk(90), frees_bytes=GIB // 2, held=HELD)


@pytest.mark.parametrize(("used_gib", "frees_gib"), [(90, 2), (60, 0), (80, 0)])
def test_prune_PRN_10_what_helps_or_is_not_pressing_is_no_matter(used_gib: int, frees_gib: int) -> None:
    growth.check_helps(disk(used_gib), frees_bytes=frees_gib * GIB, held=HELD)


def test_prune_PRN_10_inodes_fill_up_too() -> None:
    assert growth.used(disk(10, inodes=(5, 100))) == pytest.approx(0.95)
    assert growth.used(disk(10)) == pytest.approx(0.1)


@pytest.mark.parametrize("wrong", [disk(-1), disk(101), disk(0, total_gib=0), disk(1, inodes=(9, 8))])
def test_prune_PRN_05_numbers_that_cannot_be_are_unknown(wrong: Disk) -> None:
    with pytest.raises(PreconditionError, match="nothing was removed"):
        growth.used(wrong)


@pytest.mark.parametrize(("share", "word"), [(0.1, "tranquilo"), (0.7, "atento"), (0.86, "apretado"), (0.96, "emer")])
def test_prune_how_pressing_it_is_has_four_words(share: float, word: str) -> None:
    assert growth.stage(share).startswith(word)
