"""The command line: read arguments, call one function, print its result."""
