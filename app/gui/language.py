"""The language of the window: English, in which its texts are written, or Simplified Chinese.

`tr` says a text in the language in use. `mark` is for tables that are made before one is: what is marked goes through
`tr` where it is shown. Both want the whole text, with {places} for values that are filled in afterwards; so
tests/app/gui/test_language.py finds what has to be translated in assets/translations.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
from PySide6.QtGui import QFontDatabase, QFontInfo
from PySide6.QtWidgets import QApplication

from app.bundled import TRANSLATIONS

_CONTEXT = "PoseScope"
# Of Windows, macOS, and what Linux distributions have.
_FONTS = ("Microsoft YaHei UI", "PingFang SC", "Noto Sans CJK SC", "Noto Sans SC", "WenQuanYi Micro Hei")


def tr(text: str) -> str:
    """The text in the language in use."""
    return QCoreApplication.translate(_CONTEXT, text)


def mark(text: str) -> str:
    """The text itself, which is shown through `tr` later."""
    return text


LANGUAGE_NAMES = {"system": mark("As the system"), "en": "English", "zh_CN": "简体中文"}


def language_for(choice: str, system: Sequence[str] | None = None) -> str:
    """`en` or `zh_CN`. choice: see `app.settings.Settings`. system: the languages that it asks for, the first first."""
    if choice != "system":
        return choice
    asked = QLocale.system().uiLanguages() if system is None else system
    simplified = bool(asked) and QLocale(asked[0]).script() == QLocale.Script.SimplifiedHanScript
    return "zh_CN" if simplified else "en"


def install_language(application: QApplication, choice: str) -> None:
    """Use the language of that choice, also in Qt's own dialogs. Widgets that are there keep their texts."""
    for translator in application.findChildren(QTranslator):
        application.removeTranslator(translator)
        translator.deleteLater()
    language = language_for(choice)
    if language != "en":
        qt_texts = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        for name, folder in ((f"qtbase_{language}", qt_texts), (f"posescope_{language}", str(TRANSLATIONS))):
            translator = QTranslator(application)
            translator.load(name, folder)
            application.installTranslator(translator)


def prefer_chinese_fonts(application: QApplication) -> None:
    """For what the usual font lacks. By itself a system that is not Chinese would take Japanese forms of characters."""
    there = QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese)
    font = application.font()
    # Not what was asked for, “Sans Serif” on Linux: any family that is there would come before it.
    font.setFamilies([QFontInfo(font).family(), *(name for name in _FONTS if name in there)])
    application.setFont(font)


def in_language(language: str, text: str) -> str:
    """The text in `en` or `zh_CN`, whichever is in use."""
    translator = QTranslator()
    translator.load(f"posescope_{language}", str(TRANSLATIONS))
    return translator.translate(_CONTEXT, text) or text
