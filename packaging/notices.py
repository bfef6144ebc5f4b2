"""Write resources/licences/THIRD_PARTY.md: everything of others that the program is shipped with.

Run it in the project's environment after the locks have changed. A package is looked up where it is installed;
of the few that are not installed on this system or Python, the licence is written down here.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "packaging" / "requirements" / "run.txt"
TARGET = ROOT / "resources" / "licences" / "THIRD_PARTY.md"

# Not installed everywhere: for Windows, for Linux, for Python 3.11 only.
ELSEWHERE = {
    "backports-tarfile": "MIT",
    "importlib-metadata": "Apache-2.0",
    "jeepney": "MIT",
    "lazy-importer": "Apache-2.0",
    "pywin32-ctypes": "BSD-3-Clause",
    "secretstorage": "BSD-3-Clause",
    "typing-extensions": "PSF-2.0",
    "zipp": "MIT",
}
# What packages without a licence expression call their licence, in the words of SPDX.
SPDX = {
    "Apache License, Version 2.0": "Apache-2.0",
    "Public Domain": "public domain",
    "MIT License": "MIT",
    "Apache License 2.0": "Apache-2.0",
    # google-re2 and python-gnupg, whose LICENSE has the three clauses.
    "BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    # python-dateutil, which leaves the choice.
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
}
# What has its whole text in place of a name.
BY_TEXT = {"isodate": "BSD-3-Clause"}

INTRODUCTION = """\
# Third-party notices

Causeway is shipped with the work of others. Their licences are these; the texts lie where the table says or, for
Python packages, in the package's own `.dist-info` folder.

## Fonts and icons

| what | licence | text |
| --- | --- | --- |
| Inter, © The Inter Project Authors | OFL-1.1 | `resources/fonts/Inter-OFL.txt` |
| JetBrains Mono, © The JetBrains Mono Project Authors | OFL-1.1 | `resources/fonts/JetBrainsMono-OFL.txt` |
| Lucide icons, © Lucide Icons and Contributors; in part Feather, © Cole Bemis | ISC, in part MIT \
| `resources/icons/ui/LICENSE` |

## Python packages

Qt (in PySide6-Essentials and shiboken6) is used under the LGPL 3, paramiko under the LGPL 2.1: both are unchanged,
loaded at run time, and may be replaced by other versions in the program's environment. The texts are
`LGPL-3.txt`, `GPL-3.txt` and `LGPL-2.1.txt` beside this file.

| package | version | licence |
| --- | --- | --- |
"""


def locked() -> list[tuple[str, str]]:
    """(name, version) of every package that the program runs with, on whatever system."""
    return re.findall(r"^([\w.-]+)==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)


def licence_of(name: str) -> str:
    """The licence of a package as SPDX writes it. Raises LookupError when it is to be found nowhere."""
    try:
        about = metadata.metadata(name).json
    except metadata.PackageNotFoundError:
        if name in ELSEWHERE:
            return ELSEWHERE[name]
        raise LookupError(f"{name} is not installed here: add its licence to ELSEWHERE") from None
    words = BY_TEXT.get(name) or str(about.get("license_expression") or about.get("license") or "")
    if not words:
        classifiers = [text.rsplit(" :: ", 1)[-1] for text in about.get("classifier", [])]
        words = next((text for text in classifiers if text in SPDX), "")
    if not words or "\n" in words:
        raise LookupError(f"{name} does not say its licence in one line: look it up and write it down here")
    return SPDX.get(words, words)


def document() -> str:
    """The whole file."""
    rows = [f"| {name} | {version} | {licence_of(name)} |\n" for name, version in locked()]
    return INTRODUCTION + "".join(rows)


if __name__ == "__main__":
    try:
        TARGET.write_text(document(), encoding="utf-8", newline="\n")
    except LookupError as error:
        sys.exit(str(error))
