"""A folder in which the commands of a page can be run: small inputs, a small model, few steps."""

import contextlib
import gzip
import importlib
import io
import json
import os
import shutil
from typing import Any, List, Set

from tests.docs_commands import ours, parse
from tests.docs_pages import Command, read

# What a run gets behind its own arguments. Nothing else is changed: the preset is the page's.
STEPS = (
    *("num_train_epochs=null", "num_train_steps=2", "warmup_share=null", "num_warmup_steps=1"),
    *("train_batch_size=2", "save_checkpoints_steps=2", "log_steps=1"),
)
STAGE = "{max_seq_length: %d, train_batch_size: 2}"
STAGES = f"stages=[{STAGE % 128}, {STAGE % 512}]"
TASK = ("num_train_epochs=1", "max_seq_length=32", "train_batch_size=4")
MODEL = {
    **{"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2},
    **{"intermediate_size": 16, "max_position_embeddings": 512, "vocab_size": 21128},
}
ELECTRA = {"model_type": "electra", "embedding_size": 16, "hidden_act": "gelu_erf"}
ELECTRA.update(generator_hidden_size=1.0, generator_layers=1.0)
FIRST = (
    "data_gen build --config macbert_512 --input corpus.txt --output first",
    "pretrain train --config tiny --data first --output start",
    "pretrain export --format tf1 --model start --output chinese_L-12_H-768_A-12",
    "pretrain export --format hf --model start --output hf",
)


def runnable(command: Command) -> bool:
    """Whether a test can run a command: it is the project's own and needs nothing special."""
    return bool(ours(command.words)) and not command.needs


def make_inputs(folder: str) -> None:
    """Write what the pages take for given: text, labelled reviews, vectors, vocabularies."""
    text = read("tests/data/text.txt")
    words = read("tests/data/segmented.txt")
    other = words.replace(" ", "")
    files = {
        **{"corpus/a.txt": text, "corpus/b.txt": other, "corpus.txt": text + "\n" + other},
        **{"sentences.txt": text, "nano.json": json.dumps(MODEL)},
        "nano_electra.json": json.dumps({**MODEL, **ELECTRA}),
        "cilin.txt": "Aa01 语言 语法\nAa02 模型 仿真\nAa03 时间 光阴\n",
        "ernie/vocab.txt": read("configs/vocab/bert_base_chinese.txt") + "$\n",
    }
    reviews = "".join(f"{i % 2}\t{line}\n" for i, line in enumerate(text.split("\n")) if line)
    for part in ("train", "dev", "test"):
        files[f"data/chnsenticorp/{part}.tsv"] = "label\ttext_a\n" + reviews
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(content)
    known = sorted({word for word in words.split() if len(word) > 1})
    rows = [f"{word} {i % 7 - 3} {i % 5 - 2} 1" for i, word in enumerate(known)]
    with gzip.open(os.path.join(folder, "Tencent.txt.gz"), "wt", encoding="utf-8") as handle:
        handle.write("\n".join([f"{len(rows)} 3", *rows, ""]))


class World:
    """A folder, and which outputs in it the commands of this page have made."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.made: Set[str] = set()

    def run(self, words: List[str]) -> str:
        """Run a command in this process, smaller. Return what it said.

        AssertionError with that if it fails.
        """
        assert "--serve" not in words, "it would never end: mark its block as `needs: browser`"
        words = ["hf" if word.startswith("hfl/") else word for word in words]
        package, *argv = words
        args = parse(package, argv)
        self._forget(getattr(args, "output", None))
        argv += smaller(package, argv[0], args) if args else []
        said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                code = importlib.import_module(f"{package}.__main__").main(argv)
            except SystemExit as end:  # --list, --version
                code = end.code
        said.seek(0)
        text = said.read()
        # A model of two steps has a head that does not work, which is what check-head is to say.
        told = argv[0] == "check-head" and code == 1 and "error: the masked LM head is" in text
        assert code == 0 or told, f"{argv}\n{text}"
        return text

    def _forget(self, output: Any) -> None:
        """Delete an output of another page, where this page makes it anew."""
        for name in (output, f"{output}-heldout"):
            path = os.path.join(self.folder, str(name))
            if name and name not in self.made and os.path.isdir(path):
                shutil.rmtree(path)
            elif name and name not in self.made and os.path.exists(path):
                os.remove(path)
        self.made |= {str(output), f"{output}-heldout"}


def make_model(world: World) -> None:
    """Make the released models that the pages start from, by the commands themselves."""
    for line in FIRST:
        world.run(line.split())


def smaller(package: str, name: str, args: Any) -> List[str]:
    """Arguments that make a run small."""
    added: List[str] = []
    sets: List[str] = []
    if hasattr(args, "workers"):
        added += ["--workers", "1"]
    if (package, name) == ("data_gen", "build") and args.heldout:
        added += ["--heldout", "0.3"]  # there are few documents
    if package == "data_gen" and getattr(args, "config", None):
        words = any(os.path.exists(os.path.join(path, "words.json")) for path in inputs(args))
        named = any(text.startswith("segmenter.") for text in args.overrides)
        sets += [] if words or named else ["segmenter.name=rjieba"]  # LTP's model is on the hub
        added += ["--size", "600"] if hasattr(args, "size") else []
    if (package, name) == ("pretrain", "train"):
        sets += [*STEPS, *([STAGES] if args.config.startswith("bert_wwm") else [])]
        model = "nano_electra.json" if args.config.startswith("electra") else "nano.json"
        sets += [] if args.init else [f"bert_config_file={model}"]
        if args.probe:
            added += ["--probe-every", "2"]
            added += [word for text in TASK for word in ("--probe-set", text)]
    if (package, name) == ("pretrain", "finetune"):
        sets += TASK
        added += ["--runs", "2"] if args.runs > 2 else []
    if (package, name) == ("pretrain", "bench"):
        added += ["--model", "nano.json", "--batch", "2", "--seconds", "1"]
    return [*added, *(word for text in sets for word in ("--set", text))]


def inputs(args: Any) -> List[str]:
    """The inputs of a command."""
    return getattr(args, "input", None) or getattr(args, "corpus", None) or []
