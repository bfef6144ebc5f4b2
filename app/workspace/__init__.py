"""A workspace: one folder with everything of one client or project."""

from app.workspace.backup import back_up, restore
from app.workspace.folder import Workspace, create_workspace, default_folder, open_workspace
from app.workspace.recent import RecentWorkspace, recent_workspaces

__all__ = [
    "RecentWorkspace",
    "Workspace",
    "back_up",
    "create_workspace",
    "default_folder",
    "open_workspace",
    "recent_workspaces",
    "restore",
]
