"""A torch that runs code of pickles is refused."""

from types import SimpleNamespace

import pytest

from data_gen.shared.errors import UserError
from data_gen.shared.pickles import require_safe_torch


@pytest.mark.parametrize("version", ["2.6.0", "2.13.0+cpu", "3.0.0a1"])
def test_newer_ones_are_taken(version):
    require_safe_torch(SimpleNamespace(__version__=version), "model.bin")


@pytest.mark.parametrize("version", ["1.13.1", "2.1.0+cu121", "2.5.1"])
def test_older_ones_are_refused(version):
    with pytest.raises(UserError, match=f"torch {version[:3]}.* may run code .* model.bin"):
        require_safe_torch(SimpleNamespace(__version__=version), "model.bin")
