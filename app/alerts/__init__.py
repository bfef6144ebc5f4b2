"""What happens in a workspace, and telling people of it: notifications here, alerts by email, Slack and Teams."""

from app.alerts.events import SystemEvent
from app.alerts.notifications import Notification, list_notifications, mark_read, unread_notifications

__all__ = ["Notification", "SystemEvent", "list_notifications", "mark_read", "unread_notifications"]
