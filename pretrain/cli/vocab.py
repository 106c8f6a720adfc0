"""The commands `vocab extend` and `vocab shrink`."""

import argparse
from typing import Any, Dict, List, Optional

from data_gen.shared.commands import add_command, positive
from data_gen.shared.console import utf8_text
from data_gen.shared.errors import UserError
from pretrain.cli.arguments import add_model, add_text


def add_vocab(commands: Any) -> None:
    """Add `vocab extend` and `vocab shrink`."""
    parser = commands.add_parser("vocab", help="models with another vocabulary")
    actions = parser.add_subparsers(metavar="ACTION", dest="action")
    actions.required = True
    _add_extend(actions)
    _add_shrink(actions)


def _add_extend(actions: Any) -> None:
    parser = add_command(
        actions,
        "extend",
        _extend,
        "add pieces to a model's vocabulary",
        "python -m pretrain vocab extend --model work/model --pieces “ ” — … --output work/more",
    )
    add_model(parser)
    pieces = parser.add_mutually_exclusive_group(required=True)
    pieces.add_argument(
        "--pieces", nargs="+", metavar="PIECE", type=utf8_text, help="the pieces, one or more"
    )
    pieces.add_argument(
        "--add",
        metavar="FILE",
        help="a piece a line; after a tab, a text that it is like: its row starts from that text's",
    )
    parser.add_argument(
        "--reuse-unused",
        action="store_true",
        help="in the place of [unused1], [unused2], ... first, which keeps vocab_size",
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="a new folder")


def _add_shrink(actions: Any) -> None:
    parser = add_command(
        actions,
        "shrink",
        _shrink,
        "leave out the pieces that a text does not use",
        "python -m pretrain vocab shrink --model work/model --input corpus/*.txt --output "
        "work/small",
    )
    add_model(parser)
    add_text(parser)
    parser.add_argument(
        "--min-count",
        type=positive,
        default=1,
        metavar="N",
        help="keep the pieces that the text gives at least N times (default: 1); rarer words are "
        "cut smaller, rarer characters become [UNK]",
    )
    parser.add_argument("--keep", metavar="FILE", help="pieces to keep in any case, one a line")
    parser.add_argument("--output", required=True, metavar="DIR", help="a new folder")


def _extend(args: argparse.Namespace) -> None:
    from pretrain.vocab.extend import extend

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
    from pretrain.text.sentences import sentences_of
    from pretrain.vocab.shrink import shrink

    keep = _read_pieces(args.keep) if args.keep else []
    done = shrink(
        args.model, args.output, sentences_of(args.input, args.overrides), args.min_count, keep
    )
    for title, (before, after) in (("pieces", done.pieces), ("weights", done.weights)):
        print(f"{title:8} {before:,} -> {after:,} ({after / before:.1%})")
    saved = done.weights[0] - done.weights[1]
    print(f"saved    {saved:,} weights, {saved * 4 / 1e6:.1f} MB in float32")
    unknown = (n / of for n, of in zip(done.unknown, done.text_pieces))
    print("[UNK]    {:.3%} -> {:.3%} of the text's pieces".format(*unknown))
    print(f"         {done.cut_otherwise:,} words of the text are cut otherwise")
    print(f"{args.output}: old and new ids are in id_map.tsv; texts of other kinds may need more")


def _read_pieces(path: str) -> List[str]:
    """Read the lines of a file that are not empty."""
    try:
        with open(path, encoding="utf-8-sig") as handle:
            pieces = [line.rstrip("\n") for line in handle if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} must be UTF-8 text with a piece a line ({error})") from error
    if not pieces:
        raise UserError(f"{path} holds no piece: write one a line")
    return pieces
