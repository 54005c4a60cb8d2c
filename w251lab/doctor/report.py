"""What the doctor found: as tables for a person, and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from w251lab.doctor.checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from w251lab.doctor.examination import Examination, Finding
    from w251lab.doctor.facts import Facts

_WORDS = {
    "passed": "[green]ok[/]",
    "failed": "missing",
    "timed_out": "timed out",
    "crashed": "crashed",
    "unknown": "unknown",
}


def tables(facts: Facts, found: Examination) -> RenderableType:
    """The machine, the checks and the labs."""
    return Group(_machine(facts), _checks(found), *([_labs(found)] if found.verdicts else []))


def remedies(found: Examination) -> Iterable[str]:
    """What to do about each thing that is missing, the required ones first; commands are to be copied, so unwrapped."""
    missing = [finding for finding in found.findings if not finding.passed]
    for finding in sorted(missing, key=lambda finding: not finding.required):
        kind = "[bold red]needed[/]" if finding.required else "[yellow]optional[/]"
        place = f" on the {_place(finding).upper()}" if _place(finding) else ""
        purpose = f" ({CHECKS[finding.check].proves})" if finding.check in CHECKS else ""
        yield (
            f"{kind} [bold]{escape(finding.check)}[/]{place}{purpose}: {escape(finding.said)}\n"
            f"  [bold]what to do:[/] {escape(finding.remedy)}"
        )


def as_json(facts: Facts, found: Examination) -> str:
    """Everything for a program."""
    data = {
        "ok": found.ok,
        "device": found.device,
        "machine": asdict(facts.machine)
        | {"libc": facts.libc, "python": facts.python, "free_disk": facts.free_disk}
        | {"packages": facts.lab, "server_packages": facts.server, "server_environment": str(facts.server_root)},
        "checks": [asdict(finding) for finding in found.findings],
        "labs": [
            {
                "name": verdict.lab.name,
                "title": verdict.lab.title,
                "needs": list(verdict.lab.needs),
                "runs": verdict.runs,
                "lacks": [finding.check for finding in verdict.lacking],
            }
            for verdict in found.verdicts
        ],
    }
    return json.dumps(data, indent=1, ensure_ascii=False)


def _machine(facts: Facts) -> Table:
    machine = facts.machine
    gpus = [
        f"{gpu.name}{f', {gpu.memory / 2**30:.0f} GiB' if gpu.memory else ''}, driver {gpu.driver}"
        for gpu in machine.gpus
    ]
    rows = {
        "Platform": f"{machine.platform}, {facts.libc}",
        "Processor": f"{machine.cpu}, {machine.cores} {'core' if machine.cores == 1 else 'cores'}",
        "Memory": f"{machine.memory / 2**30:.1f} GiB",
        "Free disk": f"{facts.free_disk / 2**30:.1f} GiB here",
        "GPU": "; ".join(gpus) or f"none: {machine.why_no_gpu}",
        "Python": facts.python,
        "Lab": _versions(facts.lab),
        "Server": _versions(facts.server) if any(facts.server.values()) else f"no environment at {facts.server_root}",
    }
    view = Table(box=box.SIMPLE_HEAD, title="This machine", title_justify="left", show_header=False)
    for name, value in rows.items():
        view.add_row(name, escape(value))
    return view


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version or '(not installed)'}" for name, version in versions.items())


def _checks(found: Examination) -> Table:
    view = Table(box=box.SIMPLE_HEAD, title="Checks", title_justify="left")
    for name in ("Check", "On", "Result", "What was seen"):
        view.add_column(name, overflow="fold", no_wrap=name in {"Check", "On", "Result"})
    view.add_column("s", justify="right")
    for finding in found.findings:
        # A server's own words can be many lines; the first says what happened.
        said = finding.said.splitlines()[0] if finding.said else ""
        seconds = f"{finding.seconds:.1f}"
        view.add_row(escape(finding.check), _place(finding), _word(finding), escape(said), seconds)
    return view


def _place(finding: Finding) -> str:
    """The device, where it makes a difference."""
    check = CHECKS.get(finding.check)
    return finding.device if check is not None and len(check.devices) > 1 else ""


def _word(finding: Finding) -> str:
    word = _WORDS[finding.status]
    if finding.passed:
        return word
    return f"[bold red]{word}[/]" if finding.required else f"[yellow]note:[/] {word}"


def _labs(found: Examination) -> Table:
    view = Table(box=box.SIMPLE_HEAD, title=f"Labs, with --device {found.device}", title_justify="left")
    for name in ("Lab", "Needs", "Can it run here?"):
        view.add_column(name, overflow="fold")
    for verdict in found.verdicts:
        lacking = ", ".join(dict.fromkeys(finding.check for finding in verdict.lacking))
        answer = "[green]yes[/]" if verdict.runs else f"[bold red]no[/], it lacks: {escape(lacking)}"
        view.add_row(escape(verdict.lab.name), escape(", ".join(verdict.lab.needs)), answer)
    return view
