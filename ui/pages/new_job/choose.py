"""The first two steps: which provider, and what the job is to do."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.catalog import Catalog, JobType, Provider
from ui.widgets import ChipRow, EmptyState, Scroll, TileData, TileGrid

ALL, OFFLINE = "all", "works offline"
FREQUENCIES = {
    "one-time": "once",
    "hourly": "every hour",
    "daily": "every day",
    "weekly": "every week",
    "monthly": "every month",
    "continuous": "all the time",
    "real-time": "as it happens",
}
KINDS = {"import": "Import", "export": "Export", "enrichment": "Enrichment", "alert": "Alert"}


class ProviderPane(QWidget):
    """Tiles of all providers, narrowed by category and by `search`. `chosen(slug)`, `went_on(slug)`."""

    chosen = Signal(str)
    went_on = Signal(str)

    def __init__(self, catalog: Catalog, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._catalog = catalog
        self._sought = ""
        self._category = ALL
        categories = sorted({provider.category for provider in catalog.providers})
        chips = [(ALL, "All"), *((category, category) for category in categories)]
        if any(provider.works_offline for provider in catalog.providers):
            chips.append((OFFLINE, "Works offline"))
        self.chips = ChipRow(chips, name="Categories")
        self.chips.changed.connect(self._narrow)
        self.grid = TileGrid(name="Providers")
        self.grid.chosen.connect(self.chosen)
        self.grid.went_on.connect(self.went_on)
        self.none = EmptyState("search", "Nothing found", "No provider and no job type matches. Try another word.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.chips)
        self._scroll = Scroll(self.grid)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self.none, 1)
        self._show()

    def search(self, text: str) -> None:
        """Show what matches: name, summary and job types of a provider."""
        self._sought = text.casefold()
        self._show()

    def _narrow(self, category: object) -> None:
        self._category = str(category)
        self._show()

    def _show(self) -> None:
        found = [provider for provider in self._catalog.providers if self._fits(provider)]
        self.grid.set_tiles(
            TileData(provider.slug, provider.name, provider.summary, mark=provider.slug) for provider in found
        )
        self._scroll.setVisible(bool(found))
        self.none.setVisible(not found)

    def _fits(self, provider: Provider) -> bool:
        if self._category == OFFLINE and not provider.works_offline:
            return False
        if self._category not in (ALL, OFFLINE, provider.category):
            return False
        said = [provider.name, provider.summary, provider.category]
        said += [text for job in provider.jobs for text in (job.name, job.summary)]
        return all(word in " ".join(said).casefold() for word in self._sought.split())


class JobTypePane(QWidget):
    """Tiles of what a provider can do. `chosen(slug)`, `went_on(slug)`."""

    chosen = Signal(str)
    went_on = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid = TileGrid(name="Job types", least_width=300, tile_height=165)
        self.grid.chosen.connect(self.chosen)
        self.grid.went_on.connect(self.went_on)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(Scroll(self.grid), 1)

    def show_types(self, provider: Provider, chosen: str) -> None:
        """Offer the job types of a provider."""
        self.grid.set_tiles(
            TileData(job.slug, job.name, _about(job), mark=provider.slug, mark_name=provider.name)
            for job in provider.jobs
        )
        self.grid.choose(chosen)


def _about(job: JobType) -> str:
    often = " or ".join(FREQUENCIES.get(each, each) for each in job.frequency)
    facts = [f"{KINDS.get(job.kind, job.kind)} of {' and '.join(job.data)}" if job.data else KINDS[job.kind]]
    return f"{job.summary}. {facts[0]}, {often}."
