"""Recipes and evidence in the window: written from the Jobs page and a job's own, read on the New job page."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from app.authorizations import list_authorizations
from app.engine import Engine
from app.jobs import get_job, job_runs, list_jobs
from app.jobs.recipes import export_recipe
from app.schema.queries import published_schema
from app.workspace import create_workspace
from ui.pages.authorizations.form import AuthorizationDialog
from ui.pages.jobs.page import JobsPage
from ui.pages.jobs.summary import JobPage
from ui.pages.new_job.page import NewJobPage
from ui.pages.new_job.recipe import RecipeDialog
from ui.theme import current_theme


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Engine]:
    """An engine on another workspace, which knows nothing yet."""
    create_workspace(tmp_path / "client", "Client").close()
    with Engine.open(tmp_path / "client") as engine:
        yield engine


def pick(page: Any, qtbot: QtBot, file: Path) -> None:
    """Answer the file dialog that is open."""
    qtbot.waitUntil(lambda: any(one.isVisible() for one in page.findChildren(QFileDialog)))
    dialog = next(one for one in page.findChildren(QFileDialog) if one.isVisible())
    dialog.fileSelected.emit(str(file))
    dialog.close()


def press(menu: Any, text: str) -> None:
    next(action for action in menu.actions() if action.text() == text).trigger()


def test_jobs_are_exported_and_their_evidence_is_saved(shop: Engine, shell: Any, qtbot: QtBot, tmp_path: Path) -> None:
    page = JobsPage(shop, shell)
    qtbot.addWidget(page)
    page.show()
    page.open()
    qtbot.waitUntil(lambda: page.model.rowCount() == 2)
    press(page.acts.menu(list_jobs(shop)), "Export recipe…")
    pick(page, qtbot, tmp_path / "two.causeway-recipe.yaml")
    qtbot.waitUntil(page.banner.isVisible)
    assert "Loyalty members" in (tmp_path / "two.causeway-recipe.yaml").read_text("utf-8")

    job = next(job for job in list_jobs(shop) if job.name == "Web shop")
    own = JobPage(shop, shell)
    qtbot.addWidget(own)
    own.show()
    own.open(job_id=job.id)
    qtbot.waitUntil(lambda: own.runs.model.rowCount() == 1)
    press(own.runs._menu(job_runs(shop, job.id)), "Evidence pack…")
    pick(own, qtbot, tmp_path / "evidence.zip")
    qtbot.waitUntil(own.banner.isVisible)
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        (run,) = json.loads(archive.read("runs.json"))
    assert (run["job_id"], run["read"]) == (job.id, 3)


def test_a_recipe_is_imported_with_a_new_authorization(
    shop: Engine, empty: Engine, shell: Any, qtbot: QtBot, tmp_path: Path, pictures: Path | None
) -> None:
    file = tmp_path / "two.causeway-recipe.yaml"
    export_recipe(shop, [job.id for job in list_jobs(shop)], file)
    page = NewJobPage(empty, shell)
    qtbot.addWidget(page)
    page.resize(1068, 800)
    page.show()
    page.open()
    qtbot.waitUntil(lambda: page.recipe_button.isEnabled() and page.wizard is not None)
    qtbot.mouseClick(page.recipe_button, Qt.MouseButton.LeftButton)
    pick(page, qtbot, file)
    qtbot.waitUntil(lambda: bool(page.findChildren(RecipeDialog)))
    (dialog,) = page.findChildren(RecipeDialog)
    assert dialog.windowTitle() == "Import 2 jobs"
    dialog.act()
    assert list_jobs(empty) == []
    assert dialog.isVisible()

    (link,) = [one for one in dialog.findChildren(QPushButton) if one.text() == "New authorization…"]
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
    (form,) = dialog.findChildren(AuthorizationDialog)
    form.method.set_value("file-service-folder")
    form.name.setText("Client files")
    form.form.set_value("folder", str(tmp_path))
    form.act()
    qtbot.waitUntil(lambda: dialog.choices["Files"].value() is not None)
    if pictures is not None:
        for theme in ("light", "dark"):
            current_theme().choose(theme)
            qtbot.wait(50)
            dialog.grab().save(str(pictures / f"recipe-import-{theme}.png"))
            page.grab().save(str(pictures / f"recipe-page-{theme}.png"))
    dialog.act()
    qtbot.waitUntil(lambda: bool(shell.went))
    assert shell.went == [("jobs", {})]
    (mine,) = list_authorizations(empty)
    assert {job.name for job in list_jobs(empty)} == {"Loyalty members", "Web shop"}
    assert {get_job(empty, job.id).authorization_id for job in list_jobs(empty)} == {mine.id}
    assert published_schema(empty).ranking() == ("email", "member_id")


@pytest.mark.parametrize("kind", [JobsPage, NewJobPage])
def test_a_file_that_is_no_recipe_is_told(
    empty: Engine, shell: Any, qtbot: QtBot, tmp_path: Path, kind: type[JobsPage | NewJobPage]
) -> None:
    (tmp_path / "other.yaml").write_text("causeway_recipe: 1\njobs: []\n", "utf-8")
    page = kind(empty, shell)
    qtbot.addWidget(page)
    page.show()
    page.open()
    qtbot.waitUntil(lambda: isinstance(page, JobsPage) or page.wizard is not None)
    page.recipe_button.click()
    pick(page, qtbot, tmp_path / "other.yaml")
    qtbot.waitUntil(page.banner.isVisible)
    assert page.findChildren(RecipeDialog) == []
