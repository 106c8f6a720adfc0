"""The commands that look at what a checkpoint knows of its vocabulary, and change that."""

import argparse
import json
import os
from typing import Any, Dict, List, Optional

from data_gen.settings import UserError, add_command, positive


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", required=True, metavar="CKPT", help="a folder with checkpoints, or a prefix"
    )


def _add_text(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--input", required=True, nargs="+", metavar="FILE", help="text files, - for stdin"
    )


def add_check_head(commands: Any) -> None:
    """Add `check-head`."""
    parser = add_command(
        commands,
        "check-head",
        _check_head,
        "say whether a checkpoint's masked LM head works, or is missing or random (exit code 1)",
        "python -m pretrain check-head --model work/release --input work/text/heldout.txt",
    )
    _add_model(parser)
    _add_text(parser)
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
    from pretrain.check_head import check_head
    from pretrain.model import load_model
    from pretrain.texts import load_tokenizer, sentences_of

    model = load_model(args.model, may_lack=("bert/pooler/", "cls/"))
    tokenizer = load_tokenizer(os.path.dirname(model.source))
    result = check_head(model, tokenizer, sentences_of(args.input), args.windows, args.seed)
    print(json.dumps(result, ensure_ascii=False, indent=1) if args.json else _figures(result))
    if not result["works"]:
        raise UserError(result["verdict"])
    if not args.json:
        print(result["verdict"])


def _figures(result: Dict[str, Any]) -> str:
    lines = [
        f"{result['checkpoint']} on {result['masked_pieces']:,} pieces of {result['windows']:,} "
        "windows"
    ]
    for name, title in (
        ("with_mask", "[MASK] in their place"),
        ("as_it_stands", "as they stand"),
        ("out_of_context", "all others shuffled"),
    ):
        of = result[name]
        lines.append(
            f"{title + ':':23}{of['accuracy']:6.1%} right, {of['top5_accuracy']:6.1%} among five, "
            f"loss {of['loss']:.2f}, perplexity {of['perplexity']:,.0f}"
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


def add_vocab(commands: Any) -> None:
    """Add `vocab extend` and `vocab shrink`."""
    parser = commands.add_parser("vocab", help="models with another vocabulary")
    actions = parser.add_subparsers(metavar="ACTION", dest="action")
    actions.required = True
    extend = add_command(
        actions,
        "extend",
        _extend,
        "add pieces to a model's vocabulary",
        "python -m pretrain vocab extend --model work/model --pieces “ ” — … --output work/more",
    )
    _add_model(extend)
    pieces = extend.add_mutually_exclusive_group(required=True)
    pieces.add_argument("--pieces", nargs="+", metavar="PIECE")
    pieces.add_argument(
        "--add",
        metavar="FILE",
        help="a piece a line; after a tab, what it is like: its row starts from that text's",
    )
    extend.add_argument(
        "--reuse-unused",
        action="store_true",
        help="in the place of [unused1], [unused2], ... first, which keeps vocab_size",
    )
    extend.add_argument("--output", required=True, metavar="DIR", help="a new folder")
    shrink = add_command(
        actions,
        "shrink",
        _shrink,
        "leave out the pieces that a text does not use",
        "python -m pretrain vocab shrink --model work/model --input corpus/*.txt --output "
        "work/small",
    )
    _add_model(shrink)
    _add_text(shrink)
    shrink.add_argument(
        "--min-count",
        type=positive,
        default=1,
        metavar="N",
        help="keep what the text gives as often (default: 1); rarer words are cut smaller, rarer "
        "characters become [UNK]",
    )
    shrink.add_argument("--keep", metavar="FILE", help="pieces to keep in any case, one a line")
    shrink.add_argument("--output", required=True, metavar="DIR", help="a new folder")


def _extend(args: argparse.Namespace) -> None:
    from pretrain.extend import extend

    like: Dict[str, Optional[str]] = {}
    for line in _read_pieces(args.add) if args.add else args.pieces:
        piece, _, text = line.partition("\t")
        if piece in like:
            raise UserError(f"{piece} is given twice: give it once")
        like[piece] = text or None
    for added in extend(args.model, args.output, like, args.reuse_unused):
        origin = f"the mean of {' '.join(added.origin)}" if added.origin else "random numbers"
        print(f"{added.piece}  id {added.id}, from {origin}")
    print(
        f"{args.output}: build data anew (vocab_file={args.output}/vocab.txt), then train with "
        f"--init {args.output}, the same vocab_file and "
        f"bert_config_file={args.output}/bert_config.json"
    )


def _shrink(args: argparse.Namespace) -> None:
    from pretrain.shrink import shrink
    from pretrain.texts import sentences_of

    keep = _read_pieces(args.keep) if args.keep else []
    done = shrink(args.model, args.output, sentences_of(args.input), args.min_count, keep)
    for title, (before, after) in (("pieces", done.pieces), ("weights", done.weights)):
        print(f"{title:8} {before:,} -> {after:,} ({after / before:.1%})")
    saved = done.weights[0] - done.weights[1]
    print(f"saved    {saved:,} weights, {saved * 4 / 1e6:.1f} MB in float32")
    unknown = (n / of for n, of in zip(done.unknown, done.text_pieces))
    print("[UNK]    {:.3%} -> {:.3%} of the text's pieces".format(*unknown))
    print(f"         {done.cut_otherwise:,} words of the text are cut otherwise")
    print(f"{args.output}: old and new ids are in id_map.tsv; texts of other kinds may need more")


def _read_pieces(path: str) -> List[str]:
    """The lines of a file that are not empty."""
    try:
        with open(path, encoding="utf-8-sig") as handle:
            pieces = [line.rstrip("\n") for line in handle if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} must be UTF-8 text with a piece a line ({error})") from error
    if not pieces:
        raise UserError(f"{path} holds no piece: write one a line")
    return pieces
