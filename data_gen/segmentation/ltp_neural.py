"""LTP's neural models (`LTP/tiny`, `small`, `base`), in batches.

The package `ltp` builds the network. Loading and decoding are here, because `ltp`'s own pipeline
cuts a text at 512 pieces without a word, takes a file that lacks weights, and does not run on
transformers 5. Where it runs the words are the same, which a test compares.

What is guaranteed: the same runs in the same order give the same words on the same machine, with
the same device, batch size and versions, whatever the number of workers; all of these but the
machine are in the identity. Elsewhere the network's sums differ in their last bits, so a word whose
two readings are equally likely may change.
"""

import hashlib
import os
import unicodedata
from importlib import metadata
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from data_gen.segmentation.segmenter import Segmenter, Words
from data_gen.shared.errors import UserError
from data_gen.shared.extras import needs_extra
from data_gen.shared.files import file_sha256
from data_gen.shared.pickles import require_safe_torch

WEIGHTS = "pytorch_model.bin"
# What a folder on the hub holds for the tokenizer; not every model has all of them.
TOKENIZER_FILES = (
    "added_tokens.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)
_PIECES = 512  # what LTP's models were trained on, [CLS] and [SEP] included


class _Part(NamedTuple):
    """A text that fits the network, and its pieces without [CLS] and [SEP]."""

    text: str
    ids: List[int]  # with [CLS] and [SEP]
    offsets: List[Tuple[int, int]]  # of the pieces, in characters of the text


def load_neural(folder: str, config: Dict[str, Any], device: str, batch_size: int) -> Segmenter:
    """Load the model of a folder whose config.json is `config`.

    Raises UserError where the packages, the weights or the device are missing.
    """
    nerual, torch, transformers = _import_packages(folder)
    target = _device(torch, device)
    if target.type == "cpu":
        # A worker is a process, and one thread adds up in one order.
        torch.set_num_threads(1)
    try:
        network = nerual.LTP(config=config)
        _load_weights(torch, network.model, os.path.join(folder, WEIGHTS))
        tokenizer = _load_tokenizer(transformers, folder, network.model.backbone.config)
        engine = NeuralLtp(network.model, network.cws_vocab, tokenizer, target, batch_size)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{folder} is not a neural LTP model for word segmentation ({type(error).__name__}: "
            f"{' '.join(str(error).split())[:200]})"
        ) from error
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("ltp", "torch", "transformers")
    )
    return Segmenter(
        engine.words, f"ltp {_sha256(folder)[:16]} ({versions}, {target}, batches of {batch_size})"
    )


def _import_packages(folder: str) -> Tuple[Any, Any, Any]:
    purpose = f"{folder} is a neural LTP model (LTP/legacy is a perceptron), which"
    with needs_extra("ltp-neural", purpose):
        import torch
        import transformers
        from ltp import nerual  # LTP's own spelling
    return nerual, torch, transformers


def _device(torch: Any, name: str) -> Any:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"segmenter.device={name}, but torch finds no such GPU: use auto or cpu")
    return device


def _load_weights(torch: Any, model: Any, path: str) -> None:
    if not os.path.isfile(path):
        raise UserError(f"{path} is missing: fetch the model again, `segmenter fetch`")
    require_safe_torch(torch, path)
    state = torch.load(path, map_location="cpu", weights_only=True)
    found = model.load_state_dict(state, strict=False)
    # Buffers come and go with versions of transformers; a parameter would stay random.
    missing = set(found.missing_keys) & {name for name, _ in model.named_parameters()}
    if missing:
        raise UserError(f"{path} lacks {len(missing)} weights of its model, as {min(missing)}")


def _load_tokenizer(transformers: Any, folder: str, config: Any) -> Any:
    # Without either file transformers 5 makes up a vocabulary of a few specials.
    if not any(os.path.exists(os.path.join(folder, n)) for n in ("vocab.txt", "tokenizer.json")):
        raise UserError(f"{folder} has no vocab.txt or tokenizer.json: fetch the model again")
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        folder, config=config, use_fast=True, local_files_only=True, trust_remote_code=False
    ).backend_tokenizer
    size = tokenizer.get_vocab_size()
    if size > config.vocab_size:
        raise UserError(
            f"{folder} is of two models: its vocabulary has {size} entries, its network "
            f"{config.vocab_size}"
        )
    return tokenizer


def _sha256(folder: str) -> str:
    """Hash all files that decide the words, as one."""
    digest = hashlib.sha256()
    for name in ("config.json", WEIGHTS, *TOKENIZER_FILES):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            digest.update(f"{name} {file_sha256(path)}\n".encode())
    return digest.hexdigest()


class NeuralLtp:
    """A network, its tags and its tokenizer."""

    def __init__(
        self, model: Any, tags: Sequence[str], tokenizer: Any, device: Any, batch_size: int
    ) -> None:
        model = model.eval().to(device)
        self._backbone = model.backbone
        self._processor = model.processor["cws"]
        self._head = model.task_heads["cws"]
        self._tags = tags
        self._tokenizer = tokenizer
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._device = device
        self._batch_size = batch_size
        self._most = min(_PIECES, model.backbone.config.max_position_embeddings)

    def words(self, runs: Sequence[str]) -> List[Words]:
        """Find the words of each run; what the tokenizer drops at its start is in none."""
        parts: List[_Part] = []
        counts = []
        for run, encoding in zip(runs, self._tokenizer.encode_batch(list(runs))):
            before = len(parts)
            parts += self._fitting(run, encoding)
            counts.append(len(parts) - before)
        found = iter(self._words_of_parts(parts))
        return [[word for _ in range(count) for word in next(found)] for count in counts]

    def _fitting(self, text: str, encoding: Any) -> Iterator[_Part]:
        """Cut the text in two until each part fits the network."""
        if len(encoding.ids) <= self._most or len(text) == 1:
            yield _Part(text, encoding.ids[: self._most], encoding.offsets[1:-1])
            return
        cut = _middle(text)
        for half in (text[:cut], text[cut:]):
            yield from self._fitting(half, self._tokenizer.encode(half))

    def _words_of_parts(self, parts: Sequence[_Part]) -> List[Words]:
        """Find the words of each part, computed with others of about its length."""
        words: List[Words] = [[] for _ in parts]
        order = sorted(
            (i for i, part in enumerate(parts) if part.offsets), key=lambda i: len(parts[i].ids)
        )
        for start in range(0, len(order), self._batch_size):
            batch = order[start : start + self._batch_size]
            for i, tags in zip(batch, self._predict([parts[i].ids for i in batch])):
                words[i] = _words(parts[i], [self._tags[tag] for tag in tags])
        return words

    def _predict(self, ids: Sequence[List[int]]) -> List[List[int]]:
        """Predict the tag of every piece of every text of a batch; those after its end mean
        nothing.
        """
        import torch

        try:
            with torch.inference_mode():
                return self._tags_of(torch, [torch.tensor(row) for row in ids])
        except torch.cuda.OutOfMemoryError as error:
            raise UserError(
                "the GPU has no memory left for segmentation: use fewer --workers, which share it, "
                f"or a segmenter.batch_size below {self._batch_size}"
            ) from error

    def _tags_of(self, torch: Any, rows: Sequence[Any]) -> List[List[int]]:
        pad = torch.nn.utils.rnn.pad_sequence
        mask = pad([torch.ones_like(row) for row in rows], batch_first=True).to(self._device)
        outputs = self._backbone(
            input_ids=pad(rows, batch_first=True).to(self._device), attention_mask=mask
        )
        hidden, mask = self._processor(outputs, mask)
        result = self._head(hidden, mask)
        if result.crf is None:
            tags: List[List[int]] = result.logits.argmax(dim=-1).tolist()
        else:
            scores = torch.log_softmax(result.logits, dim=-1)
            tags = result.crf.decode(scores, result.attention_mask)
        return tags


def _middle(text: str) -> int:
    """Find a place to cut a text in two: after the punctuation mark nearest its middle, if there is
    one in its middle half.
    """
    middle = len(text) // 2
    for distance in range(len(text) // 4):
        for cut in (middle - distance, middle + distance):
            if unicodedata.category(text[cut - 1])[0] == "P":
                return cut
    return middle


def _words(part: _Part, tags: Sequence[str]) -> Words:
    """Read the words of a text from the tags of its pieces."""
    from ltp_extension.algorithms import get_entities

    starts = []
    kept = []
    last = (0, 0)
    for tag, offset in zip(tags, part.offsets):
        # A character may give several pieces, or one without any character of its own.
        if offset[0] < offset[1] and offset != last:
            starts.append(offset[0])
            kept.append(tag)
            last = offset
    starts.append(len(part.text))
    return [part.text[starts[first] : starts[end + 1]] for _, first, end in get_entities(kept)]
