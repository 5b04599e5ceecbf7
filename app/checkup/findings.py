"""What an examination finds, and how it is said."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

_COLUMN = 9  # as wide as the longest word of a severity, and a gap


class Severity(IntEnum):
    """How much a finding matters; the larger, the more.

    A note is worth knowing, and may well be meant to be so. A problem keeps something from working as it should.
    """

    FINE = 0
    NOTE = 1
    PROBLEM = 2

    @property
    def word(self) -> str:
        """As it is printed: fine, note or problem."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """subject: what was looked at, in a word or two. told: one sentence.

    remedy: one sentence, or empty where nothing is to be done. commands: lines to type, each whole.
    """

    severity: Severity
    subject: str
    told: str
    remedy: str = ""
    commands: tuple[str, ...] = ()


def fine(subject: str, told: str) -> Finding:
    """All is well."""
    return Finding(Severity.FINE, subject, told)


def note(subject: str, told: str, remedy: str = "", *commands: str) -> Finding:
    """Worth knowing."""
    return Finding(Severity.NOTE, subject, told, remedy, commands)


def problem(subject: str, told: str, remedy: str = "", *commands: str) -> Finding:
    """Something does not work as it should."""
    return Finding(Severity.PROBLEM, subject, told, remedy, commands)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Problems, then notes, then what is fine; within each in the order of the examination."""
    return sorted(findings, key=lambda finding: -finding.severity)


def verdict(findings: Iterable[Finding], tr: Callable[[str], str] = str) -> str:
    """One sentence over all of them. tr: translates."""
    severities = [finding.severity for finding in findings]
    problems, notes = severities.count(Severity.PROBLEM), severities.count(Severity.NOTE)
    noted = tr("1 note") if notes == 1 else tr("{n} notes").format(n=notes)
    if not problems:
        return tr("Everything is all right; {notes}.").format(notes=noted) if notes else tr("Everything is all right.")
    found = tr("1 problem") if problems == 1 else tr("{n} problems").format(n=problems)
    sentence = tr("{problems} and {notes}.") if notes else tr("{problems}.")
    return sentence.format(problems=found, notes=noted)


def as_text(findings: Iterable[Finding], width: int | None = None) -> str:
    """The verdict and every finding, the worst first, to be read by a person. width: as for `lines_of`."""
    ordered = worst_first(findings)
    return "\n".join((verdict(ordered), "", *(line for finding in ordered for line in lines_of(finding, width))))


def lines_of(finding: Finding, width: int | None = None) -> list[str]:
    """“problem  OpenCV: …”, and beneath it the remedy and the lines to type.

    width: sentences are wrapped to so many columns; None leaves them whole. Lines to type stay whole.
    """
    head, indent = f"{finding.severity.word:<{_COLUMN}}", " " * _COLUMN
    lines = _wrapped(f"{finding.subject}: {finding.told}", head, indent, width)
    if finding.remedy:
        lines += _wrapped(finding.remedy, f"{indent}→ ", f"{indent}  ", width)
    return lines + [f"{indent}    {command}" for command in finding.commands]


def _wrapped(text: str, first: str, others: str, width: int | None) -> list[str]:
    if width is None:
        return [first + text]
    # A path or an option may be copied only if it is not broken.
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )
