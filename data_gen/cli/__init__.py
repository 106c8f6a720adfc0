"""The command line: arguments in, jobs called, results printed."""
