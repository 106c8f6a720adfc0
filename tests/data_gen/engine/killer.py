"""`python -m data_gen` in small blocks, with processes that kill themselves as the system does for
want of memory: the environment's DIE_AT="worker 3" means each worker, before its third file is
whole.
"""

import os
import signal
import sys

from data_gen.__main__ import main
from data_gen.corpus import blocks


def kill_yourself(task):
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(number):
    replace = os.replace
    left = iter(range(number - 1, -1, -1))

    def dying(partial, path):
        if next(left) == 0:
            kill_yourself(None)
        replace(partial, path)

    os.replace = dying


if __name__ in ("__main__", "__mp_main__"):  # the second in spawned workers
    blocks.BLOCK_BYTES = 100
    who, _, number = os.environ.get("DIE_AT", "").partition(" ")
    if who == ("main" if __name__ == "__main__" else "worker"):
        kill_at(int(number))

if __name__ == "__main__":
    sys.exit(main())
