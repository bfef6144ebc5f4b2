"""The demo: an invented shop with its people, files, sandbox server and jobs, made anew on this computer."""

from app.demo.workspace import DemoResult, create_demo, demo_folder, open_demo, run_demo, start_sandbox

__all__ = ["DemoResult", "create_demo", "demo_folder", "open_demo", "run_demo", "start_sandbox"]
