"""The frame of the window: rail, pages, history, and the two ways off the UI thread."""
