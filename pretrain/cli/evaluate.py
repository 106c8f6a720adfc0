"""The commands `evaluate` and `check-head`."""

import argparse
import json
import os
from typing import Any, Dict

from data_gen.shared.commands import add_command, number, positive
from data_gen.shared.errors import UserError
from pretrain.cli.arguments import add_model, add_text


def add_check_head(commands: Any) -> None:
    """Add `check-head`."""
    parser = add_command(
        commands,
        "check-head",
        _check_head,
        "say whether a checkpoint's masked LM head works, or is missing or random (exit code 1)",
        "python -m pretrain check-head --model work/release --input work/text/heldout.txt",
    )
    add_model(parser)
    add_text(parser)
    parser.add_argument(
        "--windows",
        type=positive,
        default=200,
        metavar="N",
        help="of 128 pieces, the first of the text (default: 200)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of what is masked (default: 0)")
    parser.add_argument("--json", action="store_true", help="for programs")


def _check_head(args: argparse.Namespace) -> None:
    from pretrain.checkpoint.load import load_model
    from pretrain.evaluate.check_head import check_head
    from pretrain.learning.objectives import DEFAULT
    from pretrain.model.heads import POOLER
    from pretrain.text.sentences import sentences_of
    from pretrain.text.tokenizer import load_tokenizer

    model = load_model(args.model, may_lack=(POOLER, "cls/"), objective=DEFAULT)
    tokenizer = load_tokenizer(os.path.dirname(model.source))
    result = check_head(
        model, tokenizer, sentences_of(args.input, args.overrides), args.windows, args.seed
    )
    print(json.dumps(result, ensure_ascii=False, indent=1) if args.json else _scores(result))
    if not result["works"]:
        raise UserError(result["verdict"])
    if not args.json:
        print(result["verdict"])


def _scores(result: Dict[str, Any]) -> str:
    lines = [
        f"{result['checkpoint']} on {result['masked_pieces']:,} pieces of {result['windows']:,} "
        "windows"
    ]
    for name, title in (
        ("with_mask", "[MASK] in their place"),
        ("as_it_stands", "as they stand"),
        ("out_of_context", "all others shuffled"),
    ):
        scores = result[name]
        lines.append(
            f"{title + ':':23}{scores['accuracy']:6.1%} right, {scores['top5_accuracy']:6.1%} "
            f"among five, loss {scores['loss']:.2f}, perplexity {scores['perplexity']:,.0f}"
        )
    guess = result["without_a_model"]
    always = f"always {guess['most_frequent_piece']}:"
    lines.append(f"{always:23}{guess['accuracy']:6.1%} right; ln(vocab_size) {guess['loss']:.2f}")
    return "\n".join([*lines, _pair_line(result["pair_head"])])


def _pair_line(pair: Dict[str, Any]) -> str:
    if not pair["present"]:
        return "pair head: absent (or its pooler)"
    if pair["order_accuracy"] is None:
        return "pair head: present; the text has no two sentences in a row to try it on"
    return (
        f"pair head: present; tells order from swapped for {pair['order_accuracy']:.1%} of "
        f"{pair['pairs']:,} pairs (chance 50%; NSP does not teach it)"
    )


def add_evaluate(commands: Any) -> None:
    """Add `evaluate`."""
    parser = add_command(
        commands,
        "evaluate",
        _evaluate,
        "measure losses and accuracies on a data set",
        "python -m pretrain evaluate --model work/model --data work/heldout",
    )
    add_model(parser)
    parser.add_argument("--data", required=True, metavar="DIR", help="output of data_gen build")
    parser.add_argument(
        "--similar-words", metavar="FILE", help="of synonyms build: tells similar from random words"
    )
    parser.add_argument(
        "--pseudo-perplexity",
        action="store_true",
        help="also restore the text of the first records and ask for each piece of it: with [MASK] "
        "in its place, which compares models trained with [MASK], and with a random piece there, "
        "which compares all, MacBERT too",
    )
    parser.add_argument(
        "--sequences",
        type=positive,
        default=50,
        metavar="N",
        help="of --pseudo-perplexity: how many records (default: 50, a minute for a model of "
        "4 layers x 256 on two cores)",
    )
    parser.add_argument(
        "--seed",
        type=number(0, 2**32 - 1, "a whole number from 0 to 4294967295", int),
        default=0,
        help="of its random pieces (default: 0)",
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def _evaluate(args: argparse.Namespace) -> None:
    from pretrain.checkpoint.load import load_model
    from pretrain.evaluate.measure import evaluate
    from pretrain.evaluate.pseudo_perplexity import pseudo_perplexity, pseudo_perplexity_line
    from pretrain.learning.spread import spread_lines

    model = load_model(args.model)
    asked = {}
    if args.pseudo_perplexity:
        asked["pseudo_perplexity"] = pseudo_perplexity(model, args.data, args.sequences, args.seed)
    result = {**evaluate(model, args.data, similar_words=args.similar_words), **asked}
    if args.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{result['checkpoint']} on {result['examples']:,} examples of {result['data']}")
    lines = [*model.objective.evaluation.lines(result), *spread_lines(result)]
    lines += [pseudo_perplexity_line(figures) for figures in asked.values()]
    print("\n".join(lines))
