"""Where a bundle begins. Worker processes of a bundle begin here too, hence freeze_support()."""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()

    from ui.main import main

    sys.exit(main())
