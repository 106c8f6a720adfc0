"""The commands around similar words: `python -m data_gen synonyms ...`."""

import argparse
from typing import TYPE_CHECKING, Any, Sequence, Tuple

from data_gen.cli.arguments import (
    add_cache,
    add_engine,
    add_input,
    cache,
    engine,
    load_inputs,
    progress,
)
from data_gen.shared.commands import add_command, add_config_arguments
from data_gen.shared.console import utf8_text

if TYPE_CHECKING:
    from data_gen.core.columns import Pieces
    from data_gen.synonyms.lookup import CandidateLookup
    from data_gen.tokenization.tokenizer import Tokenizer

_MISSING_LISTED = 30  # words

_CONFIG = "macbert_512"


def add_synonyms(commands: Any) -> None:
    """Add `synonyms build`, `nearby`, `coverage` and `judge`."""
    parser = commands.add_parser("synonyms", help="similar words for MLM as correction")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_build(actions)
    _add_nearby(actions)
    _add_coverage(actions)
    _add_judge(actions)


def _add_nearby(actions: Any) -> None:
    nearby = add_command(
        actions,
        "nearby",
        _nearby,
        "print the similar words of words",
        f"python -m data_gen synonyms nearby --config {_CONFIG} \\\n"
        "    --set synonyms.table=work/synonyms.safetensors 语言 模型",
    )
    add_config_arguments(nearby, "configs/data")
    nearby.add_argument("words", nargs="+", metavar="WORD", type=utf8_text, help="words to look up")


def _add_coverage(actions: Any) -> None:
    covers = add_command(
        actions,
        "coverage",
        _coverage,
        "print how many words of a text have similar ones, and which have none",
        f"python -m data_gen synonyms coverage --config {_CONFIG} --input 'corpus/*.txt' \\\n"
        "    --set synonyms.table=work/synonyms.safetensors --set segmenter.model=work/ltp",
    )
    add_config_arguments(covers, "configs/data")
    add_input(covers, or_segmented=True)
    add_engine(covers)


def _add_judge(actions: Any) -> None:
    judged = add_command(
        actions,
        "judge",
        _judge,
        "print how often the similar words of each source are synonyms in a thesaurus",
        f"python -m data_gen synonyms judge --config {_CONFIG} --thesaurus cilin.txt \\\n"
        "    --set synonyms.table=work/synonyms.safetensors",
    )
    add_config_arguments(judged, "configs/data")
    judged.add_argument(
        "--thesaurus",
        required=True,
        metavar="FILE",
        help="synonyms, a group a line; a code before them is passed over",
    )


def _add_build(actions: Any) -> None:
    build = add_command(
        actions,
        "build",
        _build,
        "make the table of similar words from word vectors (synonyms.vectors) and from text",
        f"python -m data_gen synonyms build --config {_CONFIG} --corpus 'corpus/*.txt' \\\n"
        "    --set segmenter.model=work/ltp --output work/synonyms.safetensors",
    )
    add_config_arguments(build, "configs/data")
    build.add_argument(
        "--output", required=True, metavar="FILE", help="a new file, or one to make anew"
    )
    build.add_argument(
        "--corpus",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="text to learn more words from: files, folders, globs in quotes, or URLs; or a "
        "segmented corpus, the output of `segment`",
    )
    add_cache(build)
    add_engine(build)


def _build(args: argparse.Namespace) -> None:
    from data_gen.jobs.build_synonyms import make_table, plan_table
    from data_gen.jobs.inputs import scan_inputs
    from data_gen.synonyms.table import require_new_table

    inputs = load_inputs(args, args.corpus)
    require_new_table(args.output)
    workers, show = engine(args), progress(args)
    corpus = scan_inputs(inputs, args.output, workers, show) if args.corpus else None
    made = make_table(plan_table(inputs.config, corpus), args.output, workers, show, cache(args))
    for reason, count in made.skipped.items():
        print(f"left out: {count:,} vectors ({reason})")
    for name, layer in made.table.layers.items():
        print(f"{name}: {len(layer.keys):,} words, {len(layer.neighbours):,} neighbours")
    print(f"{args.output}: {'made' if made.new else 'up to date, nothing to do'}")


def _load(args: argparse.Namespace) -> Tuple["Tokenizer", "CandidateLookup"]:
    """Load the tokenizer and the table of the settings."""
    from data_gen.config import DataConfig
    from data_gen.pipeline.load import load_similar, load_tokenizer
    from data_gen.shared.settings import load_settings

    config = load_settings(DataConfig, args.config, args.overrides)
    tokenizer = load_tokenizer(config)
    return tokenizer, load_similar(config, tokenizer)


def _nearby(args: argparse.Namespace) -> None:
    tokenizer, similar = _load(args)
    for word, (pieces, _) in zip(args.words, tokenizer.encode(args.words)):
        for source, candidates in _by_source(similar, tuple(pieces)):
            found = [f"{tokenizer.join(other)} {score:.3f}" for other, score in candidates]
            print(f"{word}  {source}: {'  '.join(found) or '(none)'}")


def _by_source(
    similar: "CandidateLookup", word: "Pieces"
) -> Sequence[Tuple[str, Sequence[Tuple["Pieces", float]]]]:
    """Return the candidates that a build takes, then those of the other sources."""
    taken = similar.of_word(word)
    others = {name: similar.of_source(name, word) for name in similar.layers}
    others.pop(taken.source, None)
    return [*([(taken.source, taken.candidates)] if taken.source else []), *others.items()]


def _coverage(args: argparse.Namespace) -> None:
    from data_gen.jobs.inputs import scan_inputs
    from data_gen.jobs.statistics import similar_words
    from data_gen.jobs.synonym_coverage import coverage
    from data_gen.show.statistics_text import statistics_lines

    inputs = load_inputs(args, args.input)
    workers, show = engine(args), progress(args)
    corpus = scan_inputs(inputs, None, workers, show)
    counts = coverage(inputs.config, corpus, workers, show)
    statistics = {"words": counts["words"], **similar_words(counts)}
    print("\n".join(statistics_lines(statistics, listed=_MISSING_LISTED)))


def _judge(args: argparse.Namespace) -> None:
    from data_gen.synonyms import thesaurus

    tokenizer, similar = _load(args)
    groups = thesaurus.read_groups(args.thesaurus)
    for source, words, first, among in thesaurus.score_with_thesaurus(similar, tokenizer, groups):
        print(f"{source:32} {words:7,} words  first {first:6.1%}  among them {among:6.1%}")
