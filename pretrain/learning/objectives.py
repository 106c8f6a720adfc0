"""The table of training objectives. A new one is a module beside `masked_lm` and an entry here."""

from typing import Dict

from pretrain.learning.classification import CLASSIFICATION
from pretrain.learning.masked_lm import MASKED_LM
from pretrain.learning.objective import Objective
from pretrain.learning.replaced_tokens import REPLACED_TOKENS
from pretrain.learning.span import SPAN

OBJECTIVES: Dict[str, Objective] = {
    "masked_lm": MASKED_LM,
    "replaced_tokens": REPLACED_TOKENS,
    "classification": CLASSIFICATION,
    "span": SPAN,
}

DEFAULT = "masked_lm"  # of models without a run.json, such as releases
DEFAULTS = {"bert": DEFAULT, "electra": "replaced_tokens"}  # by `BertConfig.model_type`
