"""The table of training objectives. A new one is a module beside `masked_lm` and an entry here."""

from typing import Dict

from pretrain.learning.masked_lm import MASKED_LM
from pretrain.learning.objective import Objective

OBJECTIVES: Dict[str, Objective] = {"masked_lm": MASKED_LM}

DEFAULT = "masked_lm"  # of models without a run.json, such as releases
