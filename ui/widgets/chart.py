"""The activity chart: stacked bars, a tooltip with figures, and the span of time to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolTip, QWidget

from ui.theme import current_theme, font
from ui.widgets.chips import ChipRow
from ui.widgets.page import Card

SPANS = (("24h", "24 h"), ("7d", "7 d"), ("28d", "28 d"), ("90d", "90 d"))


@dataclass(frozen=True)
class ChartBucket:
    """One bar: `label` under the axis, `title` of the tooltip, and one figure a series."""

    label: str
    title: str
    values: tuple[int, ...]


@dataclass(frozen=True)
class Series:
    """One colour of the bars: what it counts and its token."""

    name: str
    token: str


ACTIVITY = (
    Series("added", "chart_added"),
    Series("updated", "chart_updated"),
    Series("rejected", "chart_rejected"),
)
SENT = (Series("sent", "chart_added"),)
"""What there is to count of a job that sends."""


class StackedBarChart(QWidget):
    """Bars of several figures on top of each other. With the focus, the arrow keys walk over the bars."""

    def __init__(self, series: Sequence[Series] = ACTIVITY, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.series = tuple(series)
        self._buckets: tuple[ChartBucket, ...] = ()
        self._at = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumHeight(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Activity")

    def sizeHint(self) -> QSize:
        return QSize(600, 172)

    def set_buckets(self, buckets: Sequence[ChartBucket]) -> None:
        """Show these bars, oldest first."""
        self._buckets = tuple(buckets)
        self._at = min(self._at, len(self._buckets) - 1)
        sums = [sum(bucket.values[at] for bucket in self._buckets) for at in range(len(self.series))]
        figures = ", ".join(f"{total:,} {series.name}" for total, series in zip(sums, self.series, strict=True))
        if self._buckets:
            self.setAccessibleDescription(f"{self._buckets[0].label} to {self._buckets[-1].label}: {figures}")
        self.update()

    def tip(self, at: int) -> str:
        """The figures of one bar, as the tooltip says them."""
        bucket = self._buckets[at]
        lines = [f"{value:,} {series.name}" for value, series in zip(bucket.values, self.series, strict=True)]
        return "\n".join([bucket.title, *lines])

    def bar_at(self, x: float) -> int:
        """The number of the bar at a horizontal place, or -1."""
        if not self._buckets or not 0 <= x < self.width():
            return -1
        return int(x / (self.width() / len(self._buckets)))

    def _plot(self) -> QRectF:
        return QRectF(0, 8, self.width(), self.height() - 8 - 26)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter, plot = current_theme(), QPainter(self), self._plot()
        for line in range(4):
            y = round(plot.bottom() - plot.height() * line / 3.5)
            painter.fillRect(QRectF(0, y, plot.width(), 1), theme.color("chart_grid"))
        if not self._buckets:
            return
        most = max(1, *(sum(bucket.values) for bucket in self._buckets))
        step = plot.width() / len(self._buckets)
        width = max(1.0, round(min(step * 0.6, 34)))
        for at, bucket in enumerate(self._buckets):
            left = round(at * step + (step - width) / 2)
            if at == self._at:
                painter.fillRect(QRectF(at * step, plot.top(), step, plot.height()), self._glow(plot))
            bottom = plot.bottom()
            for value, series in zip(bucket.values, self.series, strict=True):
                if value:
                    # Even one rejected row among a million must be seen.
                    height = max(1.5, plot.height() * value / most)
                    painter.fillRect(QRectF(left, bottom - height, width, height), theme.color(series.token))
                    bottom -= height
        self._labels(painter, plot, step)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.color("accent"), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _glow(self, plot: QRectF) -> QLinearGradient:
        glow = QLinearGradient(plot.topLeft(), plot.bottomLeft())
        color = current_theme().color("accent_weak")
        glow.setColorAt(1, color)
        color.setAlpha(0)
        glow.setColorAt(0, color)
        return glow

    def _labels(self, painter: QPainter, plot: QRectF, step: float) -> None:
        small = font(11)
        metrics = QFontMetricsF(small)
        painter.setFont(small)
        painter.setPen(current_theme().color("muted"))
        baseline = plot.bottom() + 18
        first, last = self._buckets[0].label, self._buckets[-1].label
        painter.drawText(QPointF(max(0.0, step * 0.2), baseline), first)
        if len(self._buckets) > 1:
            right = plot.width() - metrics.horizontalAdvance(last) - max(0.0, step * 0.2)
            painter.drawText(QPointF(right, baseline), last)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(self.bar_at(event.position().x()))

    def leaveEvent(self, event: QEvent) -> None:
        self._point(-1)

    def _point(self, at: int) -> None:
        if at != self._at:
            self._at = at
            self.update()
            if at >= 0:
                step = self.width() / len(self._buckets)
                where = QPointF(at * step + step / 2, self._plot().top()).toPoint()
                QToolTip.showText(self.mapToGlobal(where), self.tip(at), self)
            else:
                QToolTip.hideText()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self.bar_at(event.pos().x())
            if at >= 0:
                QToolTip.showText(event.globalPos(), self.tip(at), self)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is not None and self._buckets:
            self._point(min(len(self._buckets) - 1, max(0, self._at + step)))
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point(-1)


class _Legend(QWidget):
    def __init__(self, series: Sequence[Series], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._series = series
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_series(self, series: Sequence[Series]) -> None:
        self._series = series
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(font(13))
        return QSize(round(sum(metrics.horizontalAdvance(one.name) + 24 for one in self._series)), 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, x = QPainter(self), 0.0
        metrics = QFontMetricsF(font(13))
        painter.setFont(font(13))
        painter.setPen(current_theme().color("muted"))
        for one in self._series:
            painter.fillRect(QRectF(x, 5, 10, 10), current_theme().color(one.token))
            width = metrics.horizontalAdvance(one.name)
            painter.drawText(QRectF(x + 15, 0, width + 2, 20), int(Qt.AlignmentFlag.AlignVCenter), one.name)
            x += width + 24


class ActivityChart(Card):
    """The card with the chart, its legend and the span: `span_changed("7d")`; answer with `set_buckets([...])`."""

    span_changed = Signal(str)

    def __init__(self, series: Sequence[Series] = ACTIVITY, span: str = "28d", parent: QWidget | None = None) -> None:
        super().__init__("Activity", parent=parent)
        self.body.setContentsMargins(16, 11, 16, 8)
        self.chart = StackedBarChart(series)
        self.spans = ChipRow(SPANS, chosen=span, name="Span of time")
        self.spans.changed.connect(lambda key: self.span_changed.emit(str(key)))
        self.header.insertWidget(1, self.spans)
        self._legend = _Legend(series)
        self.header.addWidget(self._legend)
        self.empty = QLabel("Nothing has been moved in this time.")
        self.empty.setProperty("kind", "muted")
        self.empty.setParent(self.chart)
        # The lines of the grid end where the words stand.
        self.empty.setStyleSheet("background: palette(base); padding-right: 8px")
        self.empty.move(0, 44)
        self.empty.hide()
        self.add(self.chart)

    def span(self) -> str:
        """The span shown now: "24h", "7d", "28d" or "90d"."""
        return str(self.spans.chosen())

    def set_series(self, series: Sequence[Series]) -> None:
        """Count other things from now on; the buckets to come have their figures."""
        if tuple(series) != self.chart.series:
            self.chart.series = tuple(series)
            self.chart.set_buckets([])
            self._legend.set_series(series)

    def set_buckets(self, buckets: Sequence[ChartBucket]) -> None:
        """Show these bars, oldest first."""
        self.chart.set_buckets(buckets)
        nothing = not any(sum(bucket.values) for bucket in buckets)
        self.empty.setVisible(nothing)
        self.empty.adjustSize()
