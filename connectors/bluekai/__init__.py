"""BlueKai: packed files of people, each followed by a trigger file."""
