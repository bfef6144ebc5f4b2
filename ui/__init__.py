"""The window: Qt widgets over the engine in app/, and nothing else of the program."""
