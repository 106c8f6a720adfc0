"""The one file that is compiled; all else is in setup.cfg.

Where that fails, since there is no compiler, the package is installed without:
`data_gen/core/compiled.py`.
"""

import os
import zlib

from setuptools import Extension, setup

SOURCE = "data_gen/core/compiled.c"

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), SOURCE), "rb") as source:
    crc = zlib.crc32(source.read())
setup(
    ext_modules=[
        Extension(
            "data_gen.core._compiled",
            [SOURCE],
            define_macros=[("SOURCE_CRC", f"{crc}u")],
            optional=True,
        )
    ]
)
