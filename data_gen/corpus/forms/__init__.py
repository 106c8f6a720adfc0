"""Forms of input files, one module a form, and the telling of one from another."""
