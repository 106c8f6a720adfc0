"""The commands around similar words: `python -m data_gen synonyms ...`."""

import argparse
from typing import Any, Sequence, Tuple

from data_gen.cli.arguments import add_engine, add_input, engine, load_config, progress
from data_gen.config import DataConfig
from data_gen.core.columns import Pieces
from data_gen.jobs import build_synonyms
from data_gen.jobs.inputs import scan_inputs
from data_gen.jobs.statistics import lines, similar_words
from data_gen.jobs.synonym_coverage import coverage
from data_gen.pipeline import load
from data_gen.pipeline.load import load_tokenizer
from data_gen.segmentation.segmenters import SEGMENTERS
from data_gen.shared.commands import add_command, add_config_arguments, positive
from data_gen.shared.settings import load_settings
from data_gen.synonyms import table, thesaurus
from data_gen.synonyms.lookup import CandidateLookup

_CONFIG = "configs/data/macbert_512.yaml"


def add_synonyms(commands: Any) -> None:
    """Add `synonyms build`, `nearby`, `coverage` and `judge`."""
    parser = commands.add_parser("synonyms", help="similar words for MLM as correction")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_build(actions)
    nearby = add_command(
        actions,
        "nearby",
        _nearby,
        "print the similar words of words",
        f"python -m data_gen synonyms nearby --config {_CONFIG} \\\n"
        "    --set synonyms.table=work/synonyms.safetensors 语言 模型",
    )
    add_config_arguments(nearby, "configs/data")
    nearby.add_argument("words", nargs="+", metavar="WORD")
    covers = add_command(
        actions,
        "coverage",
        _coverage,
        "print how many words of a text have similar ones, and which have none",
        f"python -m data_gen synonyms coverage --config {_CONFIG} --input 'corpus/*.txt' \\\n"
        "    --set synonyms.table=work/synonyms.safetensors --set segmenter.model=work/ltp",
    )
    add_config_arguments(covers, "configs/data")
    add_input(covers, or_words=True)
    add_engine(covers)
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
        "make the table of similar words from word vectors and from text",
        f"python -m data_gen synonyms build --config {_CONFIG} --corpus 'corpus/*.txt' \\\n"
        "    --set segmenter.model=work/ltp --output work/synonyms.safetensors",
    )
    add_config_arguments(build, "configs/data")
    build.add_argument(
        "--output", required=True, metavar="FILE", help="a new file, or one to make anew"
    )
    build.add_argument(
        "--vectors",
        nargs="*",
        action="extend",
        metavar="FILE",
        help="word2vec files, binary or text, plain or packed, the preferred first; without a name "
        "none (default: toolkit, the vectors of the Synonyms toolkit)",
    )
    build.add_argument(
        "--corpus",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="text to learn more words from: files, folders, globs in quotes, or URLs; or a folder "
        "of words, made by `segment`",
    )
    build.add_argument(
        "--segmenter", choices=list(SEGMENTERS), help="short for --set segmenter.name=NAME"
    )
    build.add_argument(
        "--top-k",
        type=positive,
        default=10,
        metavar="K",
        help="neighbours to keep of each word (default: 10)",
    )
    build.add_argument(
        "--min-similarity",
        type=_cosine,
        default=-1.0,
        metavar="COSINE",
        help="keep none that is less similar (default: all)",
    )
    build.add_argument(
        "--limit", type=positive, metavar="N", help="read the first N words of a file of vectors"
    )
    add_engine(build)


def _cosine(text: str) -> float:
    try:
        cosine = float(text)
    except ValueError:
        cosine = 2.0
    if not -1 <= cosine <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no cosine, from -1 to 1")
    return cosine


def _build(args: argparse.Namespace) -> None:
    named = [f"segmenter.name={args.segmenter}"] if args.segmenter else []
    args.overrides = [*args.overrides, *named]
    config = load_config(args, args.corpus)
    table.require_new_table(args.output)
    workers = engine(args)
    files = (
        scan_inputs(args.corpus, config, args.output, workers, progress(args))
        if args.corpus
        else []
    )
    vectors = [build_synonyms.TOOLKIT_SOURCE] if args.vectors is None else args.vectors
    sources = build_synonyms.Sources(
        tuple(vectors), tuple(files), args.top_k, args.min_similarity, args.limit
    )
    made = build_synonyms.make_table(config, sources, args.output, workers, progress(args))
    for reason, count in made.skipped.items():
        print(f"left out: {count:,} vectors ({reason})")
    for name, layer in made.table.layers.items():
        print(f"{name}: {len(layer.keys):,} words, {len(layer.neighbours):,} neighbours")
    print(f"{args.output}: {'made' if made.new else 'up to date, nothing to do'}")


def _nearby(args: argparse.Namespace) -> None:
    config = load_settings(DataConfig, args.config, args.overrides)
    tokenizer = load_tokenizer(config)
    similar = load.load_similar(config, tokenizer)
    for word, (pieces, _) in zip(args.words, tokenizer.encode(args.words)):
        for source, candidates in _by_source(similar, tuple(pieces)):
            found = [f"{tokenizer.join(other)} {score:.3f}" for other, score in candidates]
            print(f"{word}  {source}: {'  '.join(found) or '(none)'}")


def _by_source(
    similar: CandidateLookup, word: Pieces
) -> Sequence[Tuple[str, Sequence[Tuple[Pieces, float]]]]:
    """What a build takes first, then what the other sources have."""
    taken = similar.of_word(word)
    others = {name: similar.of_source(name, word) for name in similar.layers}
    others.pop(taken.source, None)
    return [*([(taken.source, taken.candidates)] if taken.source else []), *others.items()]


def _coverage(args: argparse.Namespace) -> None:
    config = load_config(args, args.input)
    workers = engine(args)
    files = scan_inputs(args.input, config, None, workers, progress(args))
    counts = coverage(config, files, workers, progress(args))
    for name, value in lines({"words": counts["words"], **similar_words(counts)}):
        print(f"{name:30} {value}")


def _judge(args: argparse.Namespace) -> None:
    config = load_settings(DataConfig, args.config, args.overrides)
    tokenizer = load_tokenizer(config)
    similar = load.load_similar(config, tokenizer)
    groups = thesaurus.read_groups(args.thesaurus)
    for source, words, first, among in thesaurus.score_with_thesaurus(similar, tokenizer, groups):
        print(f"{source:32} {words:7,} words  first {first:6.1%}  among them {among:6.1%}")
