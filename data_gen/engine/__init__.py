"""Run tasks on processes of this machine or on a Ray cluster.

A task that is done is not done again.
"""
