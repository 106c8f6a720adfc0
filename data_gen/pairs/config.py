"""Settings of the group `pairs`."""

from dataclasses import dataclass

from data_gen.pairs.tasks import SPLITS
from data_gen.shared.settings import require_one_of


@dataclass(frozen=True)
class PairsConfig:
    """Settings of how sequences are split in two."""

    split: str = "random"  # at a random sentence end, or at the one nearest to the middle
    swap_prob: float = 0.5  # share of the pairs that SOP swaps

    def __post_init__(self) -> None:
        require_one_of("pairs.split", self.split, SPLITS)
        if not 0 <= self.swap_prob <= 1:
            raise ValueError(f"pairs.swap_prob must be between 0 and 1, not {self.swap_prob}")
