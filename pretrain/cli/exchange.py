"""The commands `export` and `import`: their arguments."""

import argparse
from typing import Any

from data_gen.shared.commands import add_command, positive
from data_gen.shared.errors import UserError
from pretrain.cli.arguments import add_model
from pretrain.model.activations import ACTIVATIONS


def add_exchange(commands: Any) -> None:
    """Add `export` and `import`."""
    _add_export(commands)
    _add_import(commands)


def _add_export(commands: Any) -> None:
    parser = add_command(
        commands,
        "export",
        _export,
        "write a release that other programs load",
        "python -m pretrain export --format hf --model work/model --output work/release",
    )
    parser.add_argument(
        "--format",
        required=True,
        choices=["tf1", "hf", "saved_model"],
        help="tf1: as Google and HFL ship BERT; hf: a folder of Hugging Face, with a model card; "
        "saved_model: for TensorFlow Serving, with the signatures encode, fill_mask and correct, "
        "or of a fine-tuned model classify or answer",
    )
    add_model(parser)
    parser.add_argument("--output", required=True, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--count",
        type=positive,
        metavar="K",
        help="pieces that a saved_model proposes for a position, default 5",
    )


def _export(args: argparse.Namespace) -> None:
    if args.count and args.format != "saved_model":
        raise UserError("--count is about the proposals of --format saved_model")
    from pretrain.exchange.export_release import FORMATS

    options = {"count": args.count} if args.count else {}
    print(FORMATS[args.format](args.model, args.output, **options))


def _add_import(commands: Any) -> None:
    parser = add_command(
        commands,
        "import",
        _import,
        "take a released BERT into a folder that train --init, evaluate and export read",
        "python -m pretrain import --from hf hfl/chinese-macbert-base --hidden-act gelu "
        "--output work/macbert",
    )
    parser.add_argument(
        "source", metavar="SRC", help="a folder; for tf1 also a prefix, for hf also a hub id"
    )
    parser.add_argument(
        "--from",
        dest="form",
        required=True,
        choices=["tf1", "hf"],
        help="tf1: as Google and HFL ship BERT; hf: a folder of Hugging Face",
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--hidden-act",
        choices=ACTIVATIONS,
        help="instead of what the release says. The models of Google and HFL were trained with the "
        "tanh form, here gelu, although their config.json says gelu, which is the exact form with "
        "Hugging Face and gelu_erf here",
    )


def _import(args: argparse.Namespace) -> None:
    from pretrain.exchange.import_release import import_release

    print(import_release(args.form, args.source, args.output, args.hidden_act))
