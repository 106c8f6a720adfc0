"""The import of TensorFlow."""

import subprocess
import sys


def test_its_objects_are_left_out_of_every_later_search():
    script = """
import gc
from pretrain.runtime.tensorflow import tf
assert not gc.get_freeze_count()
tf.constant(1)
print(gc.isenabled(), gc.get_freeze_count() > 100_000)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "True True\n", done.stderr
