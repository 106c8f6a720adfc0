"""Load a checkpoint with the files beside it."""

import os
from typing import NamedTuple, Optional, Sequence, Tuple

from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import MODEL, VOCAB, mask_id, objective_of
from pretrain.learning.objective import Objective, ObjectiveSettings
from pretrain.learning.objectives import DEFAULT, OBJECTIVES
from pretrain.model.bert import Variables, init
from pretrain.model.config import BertConfig, read_bert_config
from pretrain.runtime import files


class Model(NamedTuple):
    """A checkpoint, ready to run."""

    config: BertConfig
    variables: Variables
    vocab_file: str
    mask: int  # id of [MASK]
    source: str  # its prefix
    absent: Tuple[str, ...] = ()  # weights that the checkpoint lacks; those here are random
    settings: ObjectiveSettings = ObjectiveSettings(DEFAULT)

    @property
    def objective(self) -> Objective:
        """The objective that it was trained with, or loaded for."""
        return OBJECTIVES[self.settings.objective]


def load_model(path: str, may_lack: Sequence[str] = (), objective: Optional[str] = None) -> Model:
    """Load the newest checkpoint of a folder, or one by its prefix, with the bert_config.json and
    vocab.txt beside it.

    may_lack:  beginnings of the names of weights that may be absent, e.g. `cls/`
    objective: whose weights to load; default: that of its training, by its run.json
    Raises UserError if something is missing or they do not belong together.
    """
    source, arrays = store.read_found(path)
    folder = os.path.dirname(source)
    config = read_bert_config(files.local_copy(os.path.join(folder, MODEL)))
    vocab_file = files.local_copy(os.path.join(folder, VOCAB))
    mask = mask_id(vocab_file)
    settings = ObjectiveSettings(objective) if objective else objective_of(folder)
    shapes = OBJECTIVES[settings.objective].variables(config, settings)
    # Before the variables are made: a configuration of another model may ask for all of the memory.
    store.require_shapes(shapes, arrays, source)
    absent = [name for name in shapes if name not in arrays]
    missing = [name for name in absent if not name.startswith(tuple(may_lack))]
    if missing:
        raise UserError(
            f"{source} lacks {', '.join(missing[:3])}, which this command needs: give a checkpoint "
            "with its heads, and the bert_config.json that belongs to it"
        )
    variables = init(config, 0, shapes)
    report = store.restore(variables, arrays, source)
    return Model(config, variables, vocab_file, mask, source, tuple(report.missing), settings)
