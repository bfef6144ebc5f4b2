"""Watches over the reason for the upper bound of PySide6 in pyproject.toml."""

from __future__ import annotations

import sys

import PySide6
from PySide6.QtCore import QObject, Signal


class Bell(QObject):
    """Something that emits."""

    rang = Signal(bool)


def test_emitting_loses_no_reference_of_true() -> None:
    # PySide6 6.12.0 loses one each time on Python 3.11, which aborts after some 590 emits: hence a judgement
    # before that, while a sentence can still be written.
    bell = Bell()
    heard: list[bool] = []
    bell.rang.connect(heard.append)

    before = sys.getrefcount(True)
    for _ in range(200):
        bell.rang.emit(False)
    lost = before - sys.getrefcount(True)
    assert abs(lost) < 20, f"PySide6 {PySide6.__version__} loses references of True: {lost} in 200 emits"

    for _ in range(9_800):
        bell.rang.emit(False)
    assert len(heard) == 10_000
    assert abs(before - sys.getrefcount(True)) < 20


def test_qt_is_older_than_the_version_that_aborts() -> None:
    assert PySide6.__version_info__[:2] < (6, 12)
