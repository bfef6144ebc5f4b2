"""Set Causeway up on a bare machine and start it: `python3 packaging/bootstrap.py demo | test | run -- ARGS`.

Needs Python 3.11 or newer and nothing else. This file only looks at the version, in words that any Python
can read; what the commands do stands in commands.py.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Causeway needs Python 3.11 or newer, and this is Python %d.%d (%s).\n"
        "Install a newer Python, then type its name in place of the one you used, for example: "
        "python3.11 packaging/bootstrap.py demo" % (sys.version_info[0], sys.version_info[1], sys.executable)
    )

from commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
