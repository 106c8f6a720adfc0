"""The command `predict`."""

import argparse
import json
import os
import sys
from functools import partial
from typing import Any, Iterator, Sequence

from data_gen.shared.commands import add_command, number, positive
from data_gen.shared.console import utf8_text
from data_gen.shared.errors import UserError
from pretrain.cli.arguments import add_model, add_text

_OF_PROPOSALS = ("top", "ratio", "above", "serve")  # options


def add_predict(commands: Any) -> None:
    """Add `predict`."""
    parser = add_command(
        commands,
        "predict",
        _predict,
        "fill [MASK]s, and correct sentences without one; with a fine-tuned model, classify texts "
        "or answer questions",
        'python -m pretrain predict --model work/model "使用语言[MASK][MASK]来预测"',
    )
    parser.add_argument(
        "texts",
        nargs="*",
        type=utf8_text,
        metavar="TEXT",
        help="in UTF-8, of any length; for a fine-tuned model a "
        "text, two with a tab between (a pair), or a question, a tab and a paragraph",
    )
    add_model(parser)
    add_text(parser, required=False)
    parser.add_argument(
        "--top", type=positive, metavar="N", help="proposals for a place, default 5"
    )
    parser.add_argument(
        "--ratio",
        type=number(1, 1e12, "a number of at least 1"),
        metavar="R",
        help="list words whose proposal is R times as probable as they are, default 300",
    )
    parser.add_argument(
        "--above",
        type=number(0, 1, "a probability from 0 to 1"),
        metavar="P",
        help="and has a probability of at least P, default 0.3; of an ELECTRA: list pieces with at "
        "least this probability of being replaced, default 0.5",
    )
    parser.add_argument("--json", action="store_true", help="a JSON object a sentence, or line")
    parser.add_argument(
        "--serve", action="store_true", help="a web page, for this machine alone, to try it on"
    )
    parser.add_argument(
        "--port",
        type=number(0, 65535, "a port from 0 to 65535", int),
        metavar="N",
        help="of the page, default 8000; 0 takes a free one",
    )


def _predict(args: argparse.Namespace) -> None:
    if bool(args.texts) + bool(args.input) + args.serve != 1:
        raise UserError("give one of: texts, --input PATH, --serve")
    if args.port is not None and not args.serve:
        raise UserError("--port is of the page: add --serve")
    from pretrain.checkpoint import store
    from pretrain.checkpoint.folder import objective_of
    from pretrain.predict.ways import WAYS

    source = store.find(args.model)
    way = WAYS.get(objective_of(os.path.dirname(source)).objective)
    if way:
        _use(way, source, args)
    else:
        _use_proposals(source, args)


def _use_proposals(source: str, args: argparse.Namespace) -> None:
    """Fill and correct with a model that has the masked LM head."""
    from pretrain.checkpoint.load import load_model
    from pretrain.learning.objectives import DEFAULT
    from pretrain.model.heads import PAIR_HEAD
    from pretrain.predict.correct import Threshold
    from pretrain.predict.predictor import Predictor, as_lines
    from pretrain.text.tokenizer import load_tokenizer

    given = {"ratio": args.ratio, "above": args.above}
    threshold = Threshold(**{name: value for name, value in given.items() if value is not None})
    tokenizer = load_tokenizer(os.path.dirname(source))
    model = load_model(source, may_lack=PAIR_HEAD, objective=DEFAULT)
    predictor = Predictor(model, tokenizer, args.top or 5)
    if args.serve:
        from pretrain.predict.server import serve

        serve(predictor, model.source, threshold, args.port)
    else:
        nothing = (
            f"nothing is suspicious by --ratio {threshold.ratio:g} --above {threshold.above:g}"
        )
        _print_predictions(partial(predictor, threshold=threshold), as_lines, args, nothing)


def _use(way: Any, source: str, args: argparse.Namespace) -> None:
    """Use a model in its own way. Raises UserError for options that are of proposals alone."""
    options = {name: getattr(args, name) for name in _OF_PROPOSALS}
    given = {name: x for name, x in options.items() if x is not None and x is not False}
    unknown = [name for name in given if name not in way.options]
    if unknown:
        raise UserError(
            f"--{unknown[0]} is for a model with its masked LM head, and {source} "
            f"{way.model_is}: leave it out"
        )
    from pretrain.checkpoint.load import load_model
    from pretrain.text.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(os.path.dirname(source))
    predict = way.make(load_model(source, may_lack=way.may_lack), tokenizer)
    if way.tabs_divide and all(path.endswith(".tsv") for path in args.input or ()):
        # Lines with a tab, as TEXT takes them, and no table with a header.
        args.overrides = ["corpus.format=text", *args.overrides]
    _print_predictions(partial(predict, **given), way.as_lines, args, way.nothing(**given))


def _print_predictions(
    predict: Any, as_lines: Any, args: argparse.Namespace, nothing: str = ""
) -> None:
    """Print the result for each sentence or line; `predict` takes the lines and `together`.

    nothing: said in the end where no result has more than its sentence
    """
    from pretrain.runtime.log import log
    from pretrain.text.sentences import read_lines

    lines = read_lines(args.input, args.overrides) if args.input else _require_utf8(args.texts)
    # A person at a terminal wants each answer at once.
    options = {"together": 1} if args.input == ["-"] and sys.stdin.isatty() else {}
    most = 0  # lines of a result
    for found in predict(lines, **options):
        if args.json:  # in UTF-8 in any terminal
            sys.stdout.buffer.write(json.dumps(found, ensure_ascii=False).encode() + b"\n")
        else:
            said = list(as_lines(found))
            most = max(most, len(said))
            print("\n".join(said))
        sys.stdout.flush()
    if nothing and most == 1:
        log(f"{nothing}: lower values list more")


def _require_utf8(texts: Sequence[str]) -> Iterator[str]:
    """Yield the texts. Raises UserError for a text that is not UTF-8."""
    for text in texts:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UserError("a TEXT is not UTF-8: put it into a file and give --input") from error
        yield text
