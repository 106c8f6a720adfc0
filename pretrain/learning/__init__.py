"""Define what a training minimizes and how it updates the weights: a table of each, with its
settings. Knows no files and no devices.
"""
