"""`python -m pretrain`: train BERT, evaluate it, use it, import and export it."""

import sys
from typing import Optional, Sequence

from data_gen.shared.commands import Parser, command_parser, run_command
from data_gen.shared.console import run_program
from pretrain.cli.evaluate import add_check_head, add_evaluate
from pretrain.cli.exchange import add_exchange
from pretrain.cli.finetune import add_finetune
from pretrain.cli.plan import add_bench, add_plan
from pretrain.cli.predict import add_predict
from pretrain.cli.report import add_report
from pretrain.cli.results import add_results
from pretrain.cli.train import add_train
from pretrain.cli.vocab import add_vocab
from pretrain.runtime.stopping import end_after_ctrl_c, end_now


def make_parser() -> Parser:
    """Make the parser of all commands."""
    parser = command_parser("pretrain", __doc__)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    commands.required = True
    add_train(commands)
    add_evaluate(commands)
    add_exchange(commands)
    add_predict(commands)
    add_check_head(commands)
    add_finetune(commands)
    add_results(commands)
    add_report(commands)
    add_vocab(commands)
    add_plan(commands)
    add_bench(commands)
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 failed with one sentence on stderr."""
    return run_command(make_parser(), argv)


def console() -> int:
    """Run as a program; the entry point `macbert-pretrain`."""
    end_after_ctrl_c()
    code = run_program(main)
    if code:
        end_now(code)
    return code


if __name__ == "__main__":
    sys.exit(console())
