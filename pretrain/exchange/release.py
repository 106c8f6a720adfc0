"""A release of BERT: a checkpoint's weights by Google's names, and the files beside them."""

import os
from typing import Any, Dict, List, NamedTuple, Optional

from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import MODEL, VOCAB, objective_of, tokenizer_settings
from pretrain.checkpoint.store import sizes
from pretrain.exchange.forms import OF_BERT, Form, Weights, form_of
from pretrain.learning.objective import ObjectiveSettings
from pretrain.learning.objectives import OBJECTIVES
from pretrain.model.config import BertConfig, read_bert_config
from pretrain.runtime import files

TF1_PREFIX = "bert_model.ckpt"


class Release(NamedTuple):
    """A trained or imported model as files."""

    prefix: str  # of the checkpoint
    folder: str
    config: BertConfig
    weights: Weights  # by Google's names, without the optimizer's
    step: Optional[int]  # of its training, if the checkpoint says
    tokenizer: Dict[str, Any]
    settings: ObjectiveSettings  # of its training

    @property
    def form(self) -> Form:
        """Its form in other programs."""
        return form_of(self.settings, self.config.model_type)

    @property
    def vocab_file(self) -> str:
        """The path of its vocabulary, on the disk."""
        return files.local_copy(os.path.join(self.folder, VOCAB))


def read_release(source: str) -> Release:
    """Read a checkpoint and the files beside it. Raises UserError if a file is missing or they do
    not belong together.
    """
    prefix, arrays = store.read_found(source)
    folder = os.path.dirname(prefix)
    for name in (MODEL, VOCAB):
        if not files.exists(os.path.join(folder, name)):
            raise UserError(
                f"{os.path.join(folder, name)} is missing: a release needs it beside the checkpoint"
            )
    config = read_bert_config(files.local_copy(os.path.join(folder, MODEL)))
    step = arrays.get(store.GLOBAL_STEP)
    weights = {  # Google's code restores float32 alone
        name: array.astype("float32", copy=False)
        for name, array in store.without_slots(arrays).items()
    }
    settings = objective_of(folder)
    require_whole(weights, config, prefix, settings)
    return Release(
        prefix,
        folder,
        config,
        weights,
        None if step is None else int(step),
        tokenizer_settings(folder),
        settings,
    )


def require_whole(
    weights: Weights, config: BertConfig, source: str, settings: ObjectiveSettings = OF_BERT
) -> None:
    """Raise UserError if a weight of the encoder, or of a part that is not wholly absent, is
    missing, has another shape than the configuration says, or holds NaN or infinity.
    """
    shapes = OBJECTIVES[settings.objective].variables(config, settings)
    absent = tuple(absent_parts(weights, settings, config.model_type))
    for name, shape in shapes.items():
        if name.startswith(absent):
            continue
        if name not in weights:
            raise UserError(
                f"{source} lacks {name}: it is no whole {config.model_type.upper()} of "
                f"{config.num_hidden_layers} layers, so get it again, or the configuration that "
                "belongs to it"
            )
        if weights[name].shape != shape:
            raise UserError(
                f"{name} is {sizes(weights[name].shape)} in {source}, {sizes(shape)} by its "
                "configuration: get the two that belong together"
            )
        store.require_finite(name, weights[name], source)


def absent_parts(
    weights: Weights,
    settings: ObjectiveSettings = OF_BERT,
    model_type: str = BertConfig.model_type,
) -> List[str]:
    """Return the beginnings of the names of absent parts, of those that a release may lack."""
    parts = form_of(settings, model_type).may_lack
    return [part for part in parts if not any(name.startswith(part) for name in weights)]


def describe_absent(
    weights: Weights,
    settings: ObjectiveSettings = OF_BERT,
    model_type: str = BertConfig.model_type,
) -> List[str]:
    """Return a sentence for each absent part."""
    parts = form_of(settings, model_type).may_lack
    return [parts[part] for part in absent_parts(weights, settings, model_type)]
