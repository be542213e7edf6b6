"""A disk that fills up under a journal, a record or the gateway's files; mounts one, so it needs root."""

import json
import os
from functools import partial
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from pawpaw_ops.clients.files import append_line, write_whole
from pawpaw_ops.clients.gateway import live_files, put_files
from pawpaw_ops.clients.inventory import disk_of
from pawpaw_ops.clients.records import read_lines, read_record
from pawpaw_ops.errors import DiskTooSmall, Undone
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.project import Project
from pawpaw_ops.plans import preflight
from pawpaw_ops.session import open_session
from pawpaw_ops.session.audit import entries
from pawpaw_ops.session.undo import remove_folder, staging
from tests.integration.support_mounts import small_disk
from tests.unit.support_stacks import stack_of

DISK_BYTES = 65_536
TEXT = TypeAdapter(dict[str, str])


def fill(folder: Path) -> Path:
    """Leave no free block on the folder's disk."""
    path = folder / "filler"
    number = os.open(path, os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space left"):
        while True:
            os.write(number, b"x" * 4096)
    os.close(number)
    return path


def test_deploy_E6_a_journal_that_the_disk_cuts_off_takes_its_run_back(tmp_path: Path) -> None:
    """The entry that did not fit is gone whole, its change never began, and what came before it is undone."""
    stack = stack_of(tmp_path)
    began: list[int] = []
    with small_disk(stack.state_dir, DISK_BYTES):
        made = staging(stack.state_dir) / "made"
        with (
            pytest.raises(Undone, match=r"journal/r1\.jsonl: No space left on device.*Everything was undone") as caught,
            open_session(stack, verb="deploy", purpose="p", run_id="r1") as do,
        ):
            do.step("make", lambda: made.mkdir(parents=True), undo=remove_folder(made))
            filler = fill(stack.state_dir)
            for number in range(1000):
                do.step(f"step {number}", partial(began.append, number), undo=remove_folder(made))
        assert caught.value.cause_code == DiskTooSmall.code
        assert not made.exists()
        (journal,) = (stack.state_dir / "journal").glob("*.jsonl")
        written = [json.loads(line) for line in journal.read_text().splitlines()]
        assert [entry["name"] for entry in written if entry["event"] == "step"][1:] == [f"step {n}" for n in began]
        assert (stack.state_dir / "lock").read_bytes() == b""

        filler.unlink()
        with open_session(stack, verb="deploy", purpose="p", run_id="r2") as do:
            assert do.recovered == ("r1",)
        assert [entry["result"] for entry in entries(stack)] == ["recovered", "ok"]
        assert list((stack.state_dir / "journal").glob("*.jsonl")) == []


def test_deploy_E6_on_a_full_disk_nothing_begins_and_the_next_run_does(tmp_path: Path) -> None:
    stack = stack_of(tmp_path)
    with small_disk(stack.state_dir, DISK_BYTES):
        filler = fill(stack.state_dir)
        with (
            pytest.raises(DiskTooSmall, match="No space left on device"),
            open_session(stack, verb="deploy", purpose="p", run_id="r1"),
        ):
            pytest.fail("it began without a journal")
        filler.unlink()
        with open_session(stack, verb="deploy", purpose="p", run_id="r2"):
            pass
        assert [entry["result"] for entry in entries(stack)] == ["recovered", "ok"]


def test_deploy_E6_records_on_a_full_disk_are_as_they_were(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, DISK_BYTES):
        ledger, record = disk / "releases.jsonl", disk / "warm.json"
        append_line(ledger, json.dumps({"n": "first"}))
        write_whole(record, json.dumps({"n": "old"}))
        filler, kept = fill(disk), 1
        with pytest.raises(OSError, match=r"No space left on device: .*releases\.jsonl"):
            while True:
                append_line(ledger, json.dumps({"n": "x" * 300}))
                kept += 1
        with pytest.raises(OSError, match=r"No space left on device: .*warm\.json"):
            write_whole(record, json.dumps({"n": "y" * 5000}))
        assert len(read_lines(ledger, TEXT, hint="")) == kept > 1
        assert read_record(record, TEXT, hint="") == {"n": "old"}
        filler.unlink()
        append_line(ledger, json.dumps({"n": "last"}))
        assert read_lines(ledger, TEXT, hint="")[-1] == {"n": "last"}
        assert sorted(path.name for path in disk.iterdir()) == ["releases.jsonl", "warm.json"]


def test_deploy_E6_the_gateways_files_are_all_old_or_all_new(tmp_path: Path) -> None:
    """There is room for the first file and not for the second: neither has its new text."""
    project = Project(
        name="shop", file=tmp_path / "c.yml", env_file=tmp_path / ".env", upstreams=tmp_path / "upstreams.d"
    )
    old = {"backend.conf": "old\n", "frontend.conf": "old\n"}
    new = {"backend.conf": "new\n", "frontend.conf": "new\n" * 2000}
    with small_disk(project.upstreams, DISK_BYTES):
        put_files(project, old)
        filler = fill(project.upstreams)
        os.truncate(filler, filler.stat().st_size - 4096)
        with pytest.raises(OSError, match=r"No space left on device: .*frontend\.conf"):
            put_files(project, new)
        assert live_files(project) == old
        filler.unlink()
        put_files(project, new)
        assert live_files(project) == new
        assert sorted(path.name for path in project.upstreams.iterdir()) == sorted(new)


def test_deploy_H7_a_disk_whose_inodes_are_used_up_is_full_with_most_of_its_bytes_free(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with small_disk(folder, 64 << 20, inodes=100):
        assert preflight.disk(disk_of(folder)).verdict is Verdict.VERIFIED
        for nth in range(97):
            (folder / f"layer{nth}").touch()
        found = disk_of(folder)
        assert found.bytes_free > found.bytes_total * 0.9
        seen = preflight.disk(found)
        assert (seen.verdict, f"{found.inodes_free} inodes are free" in seen.says) == (Verdict.FAILED, True)
