"""Which network runs on which device, and the menu that changes both."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton

from app.bundled import MODELS
from app.gui.head_menu import HeadMenu
from app.gui.language import mark, tr
from app.gui.names import decoder_title
from app.heads_offered import OfferedHead
from models.devices import may_have_gpu
from models.people import MEDIAPIPE
from models.tracking import MOST_PEOPLE

_MAX_TEXT_PX = 240
_EXPLAINED = {"lite": mark("fastest"), "full": mark("balanced"), "heavy": mark("most exact, slowest")}
_GPU = {"mps": "GPU (Apple, MPS)"} if sys.platform == "darwin" else {"cuda": "GPU (CUDA)"}


class NetworkMenu(QToolButton):
    """A flat button that says what runs, with a menu. Emits what the user wants; `show_network` emits nothing.

    network_chosen: lite, full, heavy or the path of a .task bundle. device_chosen: auto, cpu, cuda or mps.
    people_chosen: how many people are followed at most.
    engine_chosen: what our own network runs with, or mediapipe.

    gpu: whether torch may find a GPU here; asked when the menu is opened for the first time.
    offered_heads: which heads the submenu `heads` offers; asked when that is opened.
    """

    network_chosen = Signal(str)
    device_chosen = Signal(str)
    people_chosen = Signal(int)
    engine_chosen = Signal(str)

    def __init__(self, gpu: Callable[[], bool] = may_have_gpu) -> None:
        super().__init__()
        self.setObjectName("flat")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._gpu: Callable[[], bool] | None = gpu
        self._model, self._device = "", ""
        self._engine = self._own_engine = "auto"
        self._shown: tuple[str, str, str, str, bool, str] | None = None
        self._menu = QMenu(self)
        self._menu.setAccessibleName(tr("Network and device"))
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self._add_gpu)
        self._networks, self._devices = QActionGroup(self), QActionGroup(self)
        self._network_actions = {
            name: self._choice(self._networks, f"{name}\t{tr(_EXPLAINED.get(name, ''))}", partial(self._network, name))
            for name in MODELS
        }
        self._bundle = self._choice(self._networks, tr("Bundle …"), self._ask_for_bundle)
        self._bundle.setToolTip(tr("A network of your own: a .task file, or a .pth file of SimpleBaseline or HRNet"))
        self._menu.addSeparator()
        self._engines = QActionGroup(self)
        own, reference = tr("every decoder"), tr("its own points")
        self._own = self._choice(self._engines, f"PoseScope\t{own}", lambda: self._set_engine(self._own_engine))
        self._reference = self._choice(
            self._engines, f"{decoder_title(MEDIAPIPE)}\t{reference}", lambda: self._set_engine(MEDIAPIPE)
        )
        self._reference.setToolTip(
            tr(
                "MediaPipe’s own PoseLandmarker instead of ours, from picture to points, on the same network.\n"
                "It gives no heatmaps. To see both at once tick it as a ghost in the tab View."
            )
        )
        self._menu.addSeparator()
        self._device_actions: dict[str, QAction] = {}
        for name, title in (("auto", tr("Automatic")), ("cpu", "CPU")):
            self._add_device(name, title)
        self._people = self._add_people()
        self.offered_heads: Callable[[], Sequence[OfferedHead]] = list
        self.heads = HeadMenu(self, lambda: self.offered_heads())
        self._menu.addMenu(self.heads)
        self.setMenu(self._menu)
        self.show_network("full", "", "auto", loading=True)

    def _choice(self, group: QActionGroup, text: str, chosen: Callable[[], None]) -> QAction:
        action = self._menu.addAction(text)
        action.setCheckable(True)
        group.addAction(action)
        action.triggered.connect(lambda _=False: self._chosen(chosen))
        return action

    def _add_device(self, name: str, title: str) -> None:
        self._device_actions[name] = self._choice(self._devices, title, partial(self._set_device, name))

    def _add_people(self) -> list[QAction]:
        menu = self._menu.addMenu(tr("People"))
        menu.setToolTipsVisible(True)
        group = QActionGroup(self)
        actions = []
        for count in range(1, MOST_PEOPLE + 1):
            action = menu.addAction(tr("One person") if count == 1 else tr("Up to {n}").format(n=count))
            action.setToolTip(tr("Each costs as much as the first") if count > 1 else "")
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(lambda _=False, count=count: self.people_chosen.emit(count))
            actions.append(action)
        self._people_menu = menu
        return actions

    def show_people(self, count: int) -> None:
        """How many are followed at most."""
        self._people[count - 1].setChecked(True)
        self._people_menu.setTitle(tr("People: one") if count == 1 else tr("People: up to {n}").format(n=count))

    def _add_gpu(self) -> None:
        # Not in the beginning: the driver's library has to be looked for.
        gpu, self._gpu = self._gpu, None
        if gpu is not None and gpu():
            for name, title in _GPU.items():
                self._add_device(name, title)
            self._mark()

    def _chosen(self, chosen: Callable[[], None]) -> None:
        self._mark()  # until the owner says that it is so
        chosen()

    def _network(self, name: str) -> None:
        if name != self._model:
            self.network_chosen.emit(name)

    def _set_device(self, name: str) -> None:
        if name != self._device:
            self.device_chosen.emit(name)

    def _set_engine(self, name: str) -> None:
        if name != self._engine:
            self.engine_chosen.emit(name)

    def _ask_for_bundle(self) -> None:
        folder = "" if self._model in MODELS else str(Path(self._model).parent)
        dialog = QFileDialog(self, tr("Open a network"), folder)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([tr("Networks (*.task *.pth *.pt *.tar)"), tr("All files (*)")])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.network_chosen.emit(str(Path(path))))
        dialog.open()

    def show_network(
        self, model: str, label: str, device: str, loading: bool, engine: str = "auto", head: str = ""
    ) -> None:
        """What runs. May be told again and again.

        model: lite, full, heavy or a path. label: what the engine calls its device, for example "cpu (OpenVINO)";
        empty where nothing runs yet. device, engine: those that were asked for. head: whose maps are read, in a few
        words; empty for the network's own.
        """
        if (model, label, device, engine, loading, head) == self._shown:
            return
        self._shown = model, label, device, engine, loading, head
        self._model, self._device, self._engine = model, device, engine
        self._own_engine = engine if engine != MEDIAPIPE else self._own_engine
        self._mark()
        name = model if model in MODELS else Path(model).stem
        place = tr("loading …") if loading else label.replace(" (", ", ").removesuffix(")")
        whole = " · ".join(part for part in (name, head, place) if part)
        self.ensurePolished()
        metrics = self.fontMetrics()
        # A long name may not push the device out.
        name = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, _MAX_TEXT_PX // 2)
        text = " · ".join(part for part in (name, head, place) if part)
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, _MAX_TEXT_PX)
        self.setText(f"{text} ▾".replace("&", "&&"))
        self.setAccessibleName(tr("Network and device: {what}").format(what=whole))
        self.setToolTip(f"{whole}\n{tr('Choose the network and the device it runs on')}")

    def _mark(self) -> None:
        kind = self._device.partition(":")[0]
        for name, action in self._device_actions.items():
            action.setChecked(name == kind)
        for name, action in self._network_actions.items():
            action.setChecked(name == self._model)
        (self._reference if self._engine == MEDIAPIPE else self._own).setChecked(True)
        own = self._model not in MODELS
        self._bundle.setChecked(own)
        self._bundle.setText(tr("Bundle …") + (f"\t{Path(self._model).stem}".replace("&", "&&") if own else ""))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # The window keeps the space bar for itself, the other key that would press a button.
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
            self.showMenu()
        else:
            super().keyPressEvent(event)
