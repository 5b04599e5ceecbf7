"""“Is everything all right?”: what an examination of this computer finds, and how to mend it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.checkup.examination import Check, all_checks, examine
from app.checkup.facts import version_facts
from app.checkup.findings import Finding, Severity, as_text, verdict
from app.gui.language import mark, tr
from app.gui.widgets import named_label, tool_button

_POLL_MS = 50
_HEADINGS = {Severity.PROBLEM: mark("PROBLEMS"), Severity.NOTE: mark("NOTES"), Severity.FINE: mark("ALL RIGHT")}
_COPIED_MS = 1500


def open_checkup(window: QWidget, recordings: Path, device: str) -> None:
    """Examine this computer. recordings: the folder for them. device: what the window computes on, or empty."""
    about = f"This window computes on: {device or 'nothing yet'}"
    CheckupDialog(all_checks(recordings), window, about).open()


class _Examination:
    """Runs on a thread of its own, which does not know the dialog: that may be closed meanwhile.

    heard: findings, and the subject of each check as it begins; None at the end.
    """

    def __init__(self, checks: Sequence[Check]) -> None:
        self.heard: queue.SimpleQueue[Finding | str | None] = queue.SimpleQueue()
        self.stopped = threading.Event()
        self._checks = checks
        threading.Thread(target=self._run, name="posescope-checkup", daemon=True).start()

    def _run(self) -> None:
        try:
            for check in self._checks:
                if self.stopped.is_set():
                    break
                self.heard.put(check.subject)
                for finding in examine((check,)):
                    self.heard.put(finding)
        finally:
            self.heard.put(None)


class CheckupDialog(QDialog):
    """Examines when it is shown, and shows each finding as it comes, the worst on top.

    checks: see `app.checkup.examination`. about: a line about the window itself, for whoever is sent the copy.
    """

    def __init__(self, checks: Sequence[Check], parent: QWidget | None = None, about: str = "") -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("checkup")
        self.setWindowTitle(tr("Is everything all right?"))
        self._checks, self._about = checks, about
        self._findings: list[Finding] = []
        self._begun = 0
        self._examination: _Examination | None = None
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._listen)
        self._verdict = named_label("title")
        self._verdict.setAccessibleName(tr("Verdict"))
        self._now = named_label("hint")
        self._sections: dict[Severity, _Section] = {}
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._copy = _button(tr("&Copy all"), tr("The findings and the versions, for whoever helps"), self._copy_all)
        self._again = _button(tr("Examine a&gain"), "", self.examine)
        close = _button(tr("Close"), "", self.close)
        close.setDefault(True)
        buttons = QHBoxLayout()
        buttons.addWidget(self._copy)
        buttons.addWidget(self._again)
        buttons.addStretch(1)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(4)
        layout.addWidget(self._verdict)
        layout.addWidget(self._now)
        layout.addSpacing(8)
        layout.addWidget(self._scroll, 1)
        layout.addSpacing(10)
        layout.addLayout(buttons)
        self.resize(780, 620)
        self.examine()

    @property
    def examining(self) -> bool:
        """Whether findings are still to come."""
        return self._examination is not None

    @property
    def text(self) -> str:
        """What is copied: verdict, findings, versions."""
        facts = [*version_facts(), *([self._about] if self._about else [])]
        return as_text(self._findings) + "\n\n" + "\n".join(facts) + "\n"

    def examine(self) -> None:
        """Begin anew."""
        if self._examination is not None:
            return
        self._findings.clear()
        self._begun = 0
        body = QWidget()
        body.setObjectName("tab")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(8)
        self._sections = {severity: _Section(tr(heading)) for severity, heading in _HEADINGS.items()}
        for section in self._sections.values():
            column.addWidget(section)
        column.addStretch(1)
        self._scroll.setWidget(body)
        self._verdict.setText(tr("Examining this computer …"))
        self._now.setText(" ")
        self._copy.setEnabled(False)
        self._again.setEnabled(False)
        self._examination = _Examination(self._checks)
        self._poll.start()

    def _listen(self) -> None:
        while self._examination is not None and not self._examination.heard.empty():
            heard = self._examination.heard.get()
            if isinstance(heard, Finding):
                self._findings.append(heard)
                self._sections[heard.severity].add(heard)
            elif heard is not None:
                self._begun += 1
                now = tr("{n} of {count}: {subject}")
                self._now.setText(now.format(n=self._begun, count=len(self._checks), subject=heard))
            else:
                self._finish()

    def _finish(self) -> None:
        self._poll.stop()
        self._examination = None
        self._verdict.setText(verdict(self._findings, tr))
        self._now.setText(next(version_facts()))
        self._copy.setEnabled(True)
        self._again.setEnabled(True)

    def _copy_all(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        _say_copied(self._copy)

    def done(self, result: int) -> None:
        """However it is closed: what has not begun is not examined any more."""
        self._poll.stop()
        if self._examination is not None:
            self._examination.stopped.set()
        super().done(result)


class _Section(QWidget):
    """A heading and the findings of one severity; hidden while there are none."""

    def __init__(self, heading: str) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 6)
        self._column.setSpacing(8)
        self._column.addWidget(named_label("heading", heading))
        self.hide()

    def add(self, finding: Finding) -> None:
        self._column.addWidget(_row(finding) if finding.severity is Severity.FINE else _card(finding))
        self.show()


def _row(finding: Finding) -> QWidget:
    """What is fine, in one line."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(2, 0, 0, 0)
    line.setSpacing(10)
    subject = named_label("fine", f"✓  {finding.subject}")
    subject.setFixedWidth(150)
    line.addWidget(subject, 0, Qt.AlignmentFlag.AlignTop)
    line.addWidget(_sentence("hint", finding.told), 1)
    return row


def _card(finding: Finding) -> QWidget:
    card = QFrame()
    card.setObjectName("finding")
    card.setProperty("severity", finding.severity.word)
    column = QVBoxLayout(card)
    column.setContentsMargins(14, 9, 10, 10)
    column.setSpacing(5)
    column.addWidget(named_label("subject", finding.subject))
    column.addWidget(_sentence("told", finding.told))
    if finding.remedy:
        column.addWidget(_sentence("hint", finding.remedy))
    if finding.commands:
        column.addWidget(_commands(finding.commands))
    return card


def _commands(commands: Sequence[str]) -> QWidget:
    """Lines to type, to be selected or copied."""
    box = QFrame()
    box.setObjectName("commands")
    line = QHBoxLayout(box)
    line.setContentsMargins(10, 5, 5, 5)
    copy = tool_button(tr("Copy"))
    copy.setObjectName("copy")
    copy.setAccessibleName(tr("Copy {what}").format(what=commands[0]))

    def act() -> None:
        QGuiApplication.clipboard().setText("\n".join(commands))
        _say_copied(copy)

    copy.clicked.connect(act)
    lines = QVBoxLayout()
    lines.setSpacing(4)  # so that the next line is not taken for the rest of a long one
    for command in commands:
        lines.addWidget(_sentence("command", command))
    line.addLayout(lines, 1)
    line.addWidget(copy, 0, Qt.AlignmentFlag.AlignTop)
    return box


def _sentence(name: str, text: str) -> QLabel:
    label = named_label(name, text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setMinimumWidth(1)  # a long path must not widen the dialog
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label


def _button(text: str, tip: str, act: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setMinimumWidth(96)
    button.setAutoDefault(False)
    button.clicked.connect(lambda _=False: act())
    return button


def _say_copied(button: QAbstractButton) -> None:
    title = button.text()
    if title != tr("Copied"):
        button.setText(tr("Copied"))
        QTimer.singleShot(_COPIED_MS, button, lambda: button.setText(title))
