"""A task that ends its own process, as the system does for want of memory."""

import os
import signal


def kill_yourself(task):
    os.kill(os.getpid(), signal.SIGKILL)
