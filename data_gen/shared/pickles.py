"""Files of torch, which are pickles: programs that make objects."""

from typing import Any

from data_gen.shared.errors import UserError

# Older ones run code of a pickle in spite of weights_only (CVE-2025-32434).
_SAFE = (2, 6)


def require_safe_torch(torch: Any, path: str) -> None:
    """Raise UserError if this torch may run code that stands in the pickle `path`."""
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < _SAFE:
        raise UserError(
            f"torch {torch.__version__} may run code that hides in {path}: install torch 2.6 or "
            "newer"
        )
