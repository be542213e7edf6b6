"""The table, made from the records and from nothing else."""

import argparse
import statistics
from pathlib import Path

from benchmarks import machine
from benchmarks.results import Results, ratios

BEGIN, END = "<!-- written by the benchmark: begin -->", "<!-- written by the benchmark: end -->"
MAIN = "1 GB"
SHOWN_S = 0.05
SIZES = ("100 MB", "1 GB", "4 GB")


def write(path: Path, made: str, *, begin: str = BEGIN, end: str = END) -> None:
    """Put the table into its place in the README."""
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{begin}\n\n{made}\n\n{end}{after}", encoding="utf-8")


def rounds(script: str, doc: str | None, *, most: int) -> tuple[int, Results]:
    """Read how many rounds a benchmark is to have; only a whole one is kept beside it.

    Args:
        script: The benchmark's file.
        doc: What `--help` says.
        most: How many rounds a whole one has.

    Returns:
        How many, and where their records go; none where only the table is to be written of what there is.
    """
    path = Path(script)
    words = argparse.ArgumentParser(prog=f"benchmarks.{path.stem}", description=doc)
    words.add_argument("--rounds", type=int, default=most, help=f"{most} is a whole one; fewer are written nowhere")
    words.add_argument("--resume", action="store_true", help="go on with a run that was ended")
    words.add_argument("--report", action="store_true", help="only write the table of what was measured")
    given = words.parse_args()
    kept = path.with_suffix(".jsonl") if given.rounds == most else None
    results = Results(kept, resume=given.resume or given.report)
    if not (given.report or given.resume):  # what was measured before was not measured today, nor here
        results.take("machine", "", 0, machine.host)
    return (0 if given.report else given.rounds), results


def publish(results: Results, made: str, *, begin: str, end: str) -> None:
    """Print what was made of the results, and put that of a whole benchmark into the README."""
    if results.has("machine", "", 0):  # records of before do not say
        made += f"\n\n{_facts(results)}."
    print(made)
    if results.path is not None:
        write(results.path.with_name("README.md"), made, begin=begin, end=end)


def table(results: Results) -> str:
    """Return everything as Markdown."""
    parts = (_machine(results), _beside(results), _local(results), _sizes(results), _parts(results), _prefect(results))
    return "\n\n".join(part for part in parts if part)


def _machine(results: Results) -> str:
    size = statistics.median(results.values("backup", MAIN, "db_mb"))
    return (
        f"{_facts(results)}. The database of the first two tables has {size:.0f} MB on disk,"
        f" and each row {len(results.rows('backup', MAIN))} rounds."
    )


def _facts(results: Results) -> str:
    (facts,) = results.rows("machine", "")
    shown = [f"{name} {value}" for name, value in facts.items() if name not in ("what", "size", "round", "cpu")]
    return "; ".join((facts["cpu"], *shown))


def _beside(results: Results) -> str:
    """Our side, theirs, and the ratio pair by pair."""
    dump = results.values("pg_dump", MAIN, "flow_s")
    psql = results.values("psql", MAIN, "flow_s")
    alone = [row["steps"]["dump"] + row["steps"]["seal"] for row in results.rows("backup", MAIN)]
    stored = (results.values("backup", MAIN, "stored_mb"), results.values("pg_dump", MAIN, "stored_mb"))
    rows = [
        _against("Backup, published and proven", "s", results.values("backup", MAIN, "flow_s"), dump, 0.5),
        _against("— its dump and seal alone", "s", alone, dump, 0.3),
        _against("— bytes stored", "MB", *stored, 1.1),
        _against("Restore, proven and serving", "s", results.values("restore", MAIN, "flow_s"), psql, 0.6),
        *_outages(results, psql),
    ]
    head = "| | this project | `pg_dump \\| gzip`, `gunzip \\| psql` | ratio, median (range) | bar | |"
    return "\n".join((head, "|---|---|---|---|---|---|", *rows))


def _against(name: str, unit: str, ours: list[float], theirs: list[float], bar: float) -> str:
    pairs = ratios(ours, theirs)
    ratio = statistics.median(pairs)
    spread = f"{ratio:.2f} × ({min(pairs):.2f}–{max(pairs):.2f})"
    return (
        f"| {name} | {_median(ours, unit)} | {_median(theirs, unit)} | {spread} | ≤ {bar} × | {_mark(ratio <= bar)} |"
    )


def _outages(results: Results, psql: list[float]) -> list[str]:
    rows = []
    for size in SIZES:
        gaps = results.values("outage", size, "gap_ms")
        if gaps:
            stale = sum(int(row["stale_reads"]) for row in results.rows("outage", size))
            theirs = f"{_median(psql, 's')}: the whole restore" if size == MAIN else "the whole restore"
            good = statistics.median(gaps) <= 1000 and not stale
            rows.append(
                f"| Away for 8 reconnecting clients, {size}; stale reads after the first new one: {stale} |"
                f" {_median(gaps, 'ms')} | {theirs} | | ≤ 1000 ms, none | {_mark(good)} |"
            )
    return rows


def _local(results: Results) -> str:
    dump, psql = results.values("pg_dump", MAIN, "flow_s"), results.values("psql", MAIN, "flow_s")
    ours = (results.values("backup", MAIN, "flow_s"), results.values("restore", MAIN, "flow_s"))
    theirs = (results.values("local dump", MAIN, "flow_s"), results.values("local restore", MAIN, "flow_s"))
    if not theirs[0]:
        return ""
    stored = statistics.median(results.values("local dump", MAIN, "stored_mb"))
    return "\n".join((
        "| postgres-backup-local's own commands | takes | beside the manual's | this project beside it |",
        "|---|---|---|---|",
        f"| dump: `pg_dump -Z6` and hard links; {stored:.0f} MB | {_median(theirs[0], 's')} | {_ratio(theirs[0], dump)}"
        f" | {_ratio(ours[0], theirs[0])} |",
        f"| restore: `gunzip -c \\| psql` | {_median(theirs[1], 's')} | {_ratio(theirs[1], psql)}"
        f" | {_ratio(ours[1], theirs[1])} |",
    ))  # fmt: skip


def _sizes(results: Results) -> str:
    rows = [
        "| database on disk | backup | per GB | restore | per GB | highest memory: backup | restore | ≤ 250 MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for size in SIZES:
        if not results.rows("restore", size):
            continue
        gb = statistics.median(results.values("backup", size, "db_mb")) / 1000
        cells = [f"{gb * 1000:.0f} MB"]
        for what in ("backup", "restore"):
            seconds = results.values(what, size, "flow_s")
            cells += [_median(seconds, "s"), f"{statistics.median(seconds) / gb:.1f} s"]
        peaks = [max(results.values(what, size, "peak_mb")) for what in ("backup", "restore")]
        cells += [f"{peak:.0f} MB" for peak in peaks] + [_mark(max(peaks) <= 250)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _parts(results: Results) -> str:
    """Where the time goes: every task that takes a twentieth of a second; two of them run beside others."""
    rows = ["| where the time goes, in seconds | | |", "|---|---|---|"]
    for what in ("backup", "restore"):
        tasks = results.tasks(what, MAIN)
        shown = ", ".join(f"{name} {seconds:.2f}" for name, seconds in tasks.items() if seconds >= SHOWN_S)
        whole = statistics.median(results.values(what, MAIN, "flow_s"))
        session = statistics.median(results.values(what, MAIN, "session_s"))
        rows.append(f"| {what} | {whole:.2f} | before and after the session {whole - session:.2f}, {shown} |")
    return "\n".join(rows)


def _prefect(results: Results) -> str:
    first = results.values("first task", "", "command_s")
    created = results.values("first task", "", "created_s")
    begun = results.values("overhead", "", "import_s")
    return "\n".join((
        "| Prefect | median (range) |",
        "|---|---|",
        f"| `prefect deployment run` typed → first task begins, worker polling every second | {_median(first, 's')} |",
        f"| — of it from the run's creation on the server | {_median(created, 's')} |",
        f"| — importing the flows and Prefect into the run's process | {_median(begun, 's')} |",
        f"| one task that does nothing, as `operation` makes it | {_median(results.values('overhead', '', 'task_ms'), 'ms')} |",
    ))  # fmt: skip


def _median(values: list[float], unit: str) -> str:
    digits = 0 if unit == "ms" and statistics.median(values) >= 100 else 2 if statistics.median(values) < 100 else 0
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} {unit} ({low}–{high})"


def _ratio(ours: list[float], theirs: list[float]) -> str:
    return f"{statistics.median(ratios(ours, theirs)):.2f} ×"


def _mark(good: bool) -> str:  # noqa: FBT001 - one word
    return "yes" if good else "**no**"
