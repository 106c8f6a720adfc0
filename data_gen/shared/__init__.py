"""Share between both packages: errors, settings, commands, the records' contract.

Runs on Python 3.7, as `pretrain` does; imports nothing of the project.
"""
