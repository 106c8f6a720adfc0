"""Import a released BERT of Google or Hugging Face into a folder that every command here reads."""

import dataclasses
import os
import re
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from data_gen.shared.errors import UserError
from data_gen.shared.extras import needs_extra
from data_gen.shared.json_text import parse_json
from data_gen.shared.shipped import find_file
from data_gen.shared.vocabulary import read_vocabulary
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import (
    MODEL,
    TOKENIZER,
    VOCAB,
    new_folder,
    tokenizer_settings,
    write_json,
)
from pretrain.exchange import electra
from pretrain.exchange.forms import Weights, task_tensors
from pretrain.exchange.hf_tokenizer import (
    ADDED_TOKENS,
    TOKENIZER_JSON,
    added_pieces,
    is_one_run,
    pieces_of_json,
)
from pretrain.exchange.hugging_face import (
    CONFIG,
    from_config,
    from_tensors,
    prefix_of,
    require_bert,
    without_prefix,
)
from pretrain.exchange.release import TF1_PREFIX, describe_absent, require_whole
from pretrain.exchange.weight_files import read_tensors
from pretrain.learning.objective import ObjectiveSettings
from pretrain.learning.objectives import DEFAULTS, OBJECTIVES
from pretrain.model.bert import word_embeddings
from pretrain.model.config import BertConfig, read_bert_config
from pretrain.runtime import files
from pretrain.runtime.log import log
from pretrain.runtime.tensorflow import tf

# An embedding is at most padded to a multiple of this, for the speed of the hardware.
_PADDED_TO = 128
# Names of WordPiece in a tokenizer_config.json; the others are those of any tokenizer.json.
_KINDS = ("BertTokenizer", "PreTrainedTokenizerFast", "TokenizersBackend")
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


class Source(NamedTuple):
    """The content of a release."""

    folder: str
    config: BertConfig
    weights: Weights  # by Google's names
    left_over: List[str]  # names of tensors that are no weights of BERT


def import_release(form: str, source: str, output: str, hidden_act: Optional[str] = None) -> str:
    """Write the release as bert_model.ckpt.*, bert_config.json, vocab.txt and tokenizer_config.json
    into a new folder, and log what it lacks. Returns the prefix.

    form:       of FORMS
    source:     a folder, for Google's form also a prefix, for Hugging Face's also a hub id
    hidden_act: the activation of its training, if the release names a wrong one
    Raises UserError if the source is damaged or no BERT, or `output` is not empty.
    """
    with new_folder(output) as folder:
        found = FORMS[form](source)
        config = dataclasses.replace(found.config, hidden_act=hidden_act or found.config.hidden_act)
        _require_rows(found)
        require_whole(found.weights, config, source, _settings(config))
        own = _pieces(found.folder)
        added = _added(found.folder, own)
        pieces = [*own, *added]
        _require_fitting(pieces, config, source)
        tokenizer = _tokenizer(found.folder, pieces, config)
        _write_vocabulary(found.folder, own, added, folder)
        write_json(os.path.join(folder, MODEL), config.as_json())
        write_json(os.path.join(folder, TOKENIZER), tokenizer)
        tensors = {name: tf.constant(array) for name, array in found.weights.items()}
        store.save(os.path.join(folder, TF1_PREFIX), tensors)
    _report(found, hidden_act)
    _report_added(added, tokenizer["do_lower_case"])
    padding = config.vocab_size - len(pieces)
    if padding:
        log(
            f"the embedding has {padding} rows more than the vocabulary has pieces: padding, or "
            "the vocab.txt of another model, which check-head tells"
        )
    own_vocabulary = pieces != read_vocabulary(find_file("vocab", "bert_base_chinese"))
    given = f" --set vocab_file={os.path.join(output, VOCAB)}" if own_vocabulary else ""
    log(
        f"to train it on: python -m data_gen build --config PRESET{given} ..., then "
        f"python -m pretrain train --config continue --init {output} ..."
    )
    return os.path.join(output, TF1_PREFIX)


def read_tf1(source: str) -> Source:
    """Read a release as Google and HFL ship it, without optimizer slots and step."""
    prefix = store.find(source)
    folder = os.path.dirname(prefix)
    path = os.path.join(folder, MODEL)
    config = read_bert_config(path)
    with open(path, "rb") as handle:
        require_bert(parse_json(handle.read()), path)
    arrays = store.without_slots(store.read(prefix))
    scope = f"{config.model_type}/"
    before = prefix_of(arrays, scope, "embeddings/word_embeddings", source)
    _log_prefix(source, before)
    arrays = without_prefix(arrays, before)
    known = OBJECTIVES[DEFAULTS[config.model_type]].variables(config, _settings(config))
    weights = {name: arrays[name].astype("float32") for name in arrays if name in known}
    return Source(folder, config, weights, sorted(set(arrays) - set(known)))


def read_hf(source: str) -> Source:
    """Read a folder of Hugging Face, or a model of its hub."""
    folder = source if os.path.isdir(source) else _fetch(source)
    config = from_config(os.path.join(folder, CONFIG))
    found = from_tensors(read_tensors(folder), config, source)
    _log_prefix(source, found.prefix)
    weights, generator = found.weights, os.path.join(folder, electra.FOLDER)
    if not config.has_pooler and os.path.exists(os.path.join(generator, CONFIG)):
        small = from_config(os.path.join(generator, CONFIG))
        of_generator = from_tensors(read_tensors(generator), small, generator).weights
        half = electra.Half(small, of_generator)
        config, weights = electra.joined(config, weights, half, source)
    return Source(folder, config, weights, found.left_over)


def _settings(config: BertConfig) -> ObjectiveSettings:
    """Return the objective whose weights are imported."""
    return ObjectiveSettings(DEFAULTS[config.model_type])


def _log_prefix(source: str, prefix: str) -> None:
    if prefix:
        log(f"the names of the weights in {source} begin with {prefix}, which is taken off")


# Form of a release -> its reader.
FORMS: Dict[str, Callable[[str], Source]] = {"tf1": read_tf1, "hf": read_hf}


def _fetch(source: str) -> str:
    """Download the files of a hub id that are needed, a pickle only without safetensors."""
    if not _HUB_ID.fullmatch(source):
        raise UserError(f"there is no folder {source}: give one, or a hub id such as user/model")
    with needs_extra("hf", f"there is no folder {source}, and a model of the hub"):
        from huggingface_hub import snapshot_download
    texts = [CONFIG, VOCAB, TOKENIZER, TOKENIZER_JSON, ADDED_TOKENS]
    try:
        folder: str = snapshot_download(source, allow_patterns=[*texts, "model*.safetensors*"])
        if not any(".safetensors" in name for name in os.listdir(folder)):
            folder = snapshot_download(source, allow_patterns=[*texts, "pytorch_model*.bin*"])
    except Exception as error:  # of the hub, of requests or of the disk
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise UserError(
            f"there is no folder {source}, and the hub gives no such model ({reason}): check the "
            "name and the network, or give a folder"
        ) from error
    return folder


def _require_rows(found: Source) -> None:
    rows = found.weights.get(word_embeddings(found.config))
    if rows is not None and rows.shape[:1] != (found.config.vocab_size,):
        raise UserError(
            f"the word embedding in {found.folder} has {len(rows)} rows, its configuration says "
            f"vocab_size {found.config.vocab_size}: get the two that belong together"
        )


def _pieces(folder: str) -> List[str]:
    vocab, other = os.path.join(folder, VOCAB), os.path.join(folder, TOKENIZER_JSON)
    if os.path.exists(vocab):
        return read_vocabulary(vocab)
    if os.path.exists(other):
        return pieces_of_json(other)
    raise UserError(f"{vocab} is missing: put the vocabulary of the model there")


def _require_fitting(pieces: List[str], config: BertConfig, source: str) -> None:
    """Raise UserError for a vocabulary of another size than the embedding, padding apart."""
    if not 0 <= config.vocab_size - len(pieces) < _PADDED_TO:
        raise UserError(
            f"the vocabulary of {source} has {len(pieces)} pieces, its embedding "
            f"{config.vocab_size} rows: put the vocab.txt of this very model there"
        )


def _tokenizer(folder: str, pieces: List[str], config: BertConfig) -> Dict[str, Any]:
    settings = tokenizer_settings(folder)
    kind = str(settings.get("tokenizer_class") or _KINDS[0])
    if not kind.startswith(_KINDS):
        raise UserError(
            f"the tokenizer of {folder} is {kind}, no BertTokenizer: it cannot be imported; if its "
            "pieces are WordPiece all the same, say BertTokenizer in tokenizer_config.json"
        )
    lower = settings["do_lower_case"]
    capitals = any(re.fullmatch(r"(##)?[A-Z]+", piece) for piece in pieces)
    if lower and capitals:
        log(
            "do_lower_case is true, but the vocabulary has capitals, which then never occur: "
            "set it to false in tokenizer_config.json if the model is a cased one"
        )
    if not lower and not capitals:
        log(
            "do_lower_case is false, but the vocabulary has no capital letter, so that all become "
            "[UNK]: set it to true in tokenizer_config.json if the model was trained on lower case"
        )
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lower,
        "model_max_length": config.max_position_embeddings,
    }


def _added(folder: str, pieces: List[str]) -> List[str]:
    """Return the tokens added to a vocabulary, as lines for it: their rows of the embedding follow
    its own. A token that cannot be a line gets a name.
    """
    found = added_pieces(folder, len(pieces))
    known = {*pieces, ""}
    return [
        f"[added{i}]" if token in known or len(f"{token}.".splitlines()) > 1 else token
        for i, token in enumerate(found, len(pieces))
    ]


def _write_vocabulary(source: str, pieces: List[str], added: List[str], folder: str) -> None:
    vocab = os.path.join(source, VOCAB)
    if os.path.exists(vocab) and not added:  # to the byte: data sets know it by its sha256
        files.copy(vocab, os.path.join(folder, VOCAB))
    else:
        lines = "".join(f"{piece}\n" for piece in [*pieces, *added])
        files.write_text(os.path.join(folder, VOCAB), lines)


def _report_added(added: List[str], do_lower_case: bool) -> None:
    if not added:
        return
    log(f"vocab.txt has {len(added)} tokens more, which were added in transformers")
    never = [token for token in added if not is_one_run(token, do_lower_case)]
    if never:
        log(
            f"{len(never)} of them no text gives here, since transformers finds them before it "
            f"cuts a text into words, and WordPiece cuts them up: {' '.join(never[:20])}"
        )


def _report(found: Source, hidden_act: Optional[str]) -> None:
    log(f"{len(found.weights)} weights imported, {len(found.left_over)} left over")
    head = sorted(set(found.left_over) & set(task_tensors()))
    for name in found.left_over:
        log(f"left over: {name}")
    if head:
        log(
            f"the source is fine-tuned: its encoder is imported, the head of its task "
            f"({', '.join(head)}) is not; finetune --init trains a new one"
        )
    settings, model_type = _settings(found.config), found.config.model_type
    for sentence in describe_absent(found.weights, settings, model_type):
        log(sentence)
    if found.config.hidden_act == "gelu_erf" and not hidden_act and found.config.has_pooler:
        log(
            "hidden_act: its \"gelu\" is the exact form, here gelu_erf; Google's and HFL's models "
            "were trained with the tanh form: for them, import with --hidden-act gelu"
        )
