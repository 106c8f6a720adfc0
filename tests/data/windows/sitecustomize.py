"""Hide what Windows lacks from every process that starts with this folder in PYTHONPATH."""

# These of Python's own need on this system what is hidden.
import importlib.abc
import os
import select
import signal
import sys

_HIDDEN = ("fcntl", "grp", "posix_ipc", "pty", "pwd", "resource", "syslog", "termios", "tty")


class _Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in _HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


for name in _HIDDEN:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, _Hidden())
for module, names in (
    (os, "chown fork forkpty getpgid geteuid killpg mkfifo setsid sched_getaffinity"),
    (select, "poll epoll"),
    (signal, "SIGHUP SIGKILL SIGPIPE SIGUSR1 SIGUSR2 alarm pthread_sigmask pthread_kill"),
):
    for attribute in names.split():
        if hasattr(module, attribute):
            delattr(module, attribute)
