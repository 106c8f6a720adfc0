"""The table of tasks: `finetune --task NAME`."""

from typing import Dict, Mapping, Tuple

from pretrain.tasks.published import PUBLISHED
from pretrain.tasks.read_published import read_cluewsc, read_ocnli, read_xnli
from pretrain.tasks.read_texts import read_classification, read_pairs
from pretrain.tasks.squad import read_questions
from pretrain.tasks.task import Task

_SUFFIXES = (".tsv", ".csv", ".json", ".jsonl", ".txt")
_SPAN_MEASURES = ("average", "exact_match", "f1")
_EVEN = ("accuracy", "macro_f1")  # the labels are about equally frequent
_UNEVEN = ("accuracy", "macro_f1", "matthews")  # or may be anything
_INFERENCE = ("contradiction", "entailment", "neutral")
_YES_OR_NO = ("0", "1")
# TNEWS has no 105 and no 111 (CLUE's TnewsProcessor).
_NEWS = tuple(str(number) for number in range(100, 117) if number not in (105, 111))


def _files(**first: Tuple[str, ...]) -> Mapping[str, Tuple[str, ...]]:
    """Return the names of the parts: those given, then train.tsv, train.csv, ... for each part."""
    return {
        part: (*first.get(part, ()), *(part + suffix for suffix in _SUFFIXES))
        for part in ("train", "dev", "test")
    }


TASKS: Dict[str, Task] = {
    "cmrc2018": Task(
        title="CMRC 2018",
        objective="span",
        files=_files(
            train=("cmrc2018_train.json",),
            dev=("cmrc2018_dev.json",),
            test=("cmrc2018_test.json",),
        ),
        read=read_questions,
        measures=_SPAN_MEASURES,
        preset="cmrc2018",
        published=PUBLISHED["cmrc2018"],
    ),
    "drcd": Task(
        title="DRCD",
        objective="span",
        files=_files(
            train=("DRCD_training.json", "DRCD_train.json"),
            dev=("DRCD_dev.json",),
            test=("DRCD_test.json",),
        ),
        read=read_questions,
        measures=_SPAN_MEASURES,
        preset="drcd",
        published=PUBLISHED["drcd"],
    ),
    "xnli": Task(
        title="XNLI",
        objective="classification",
        files=_files(
            train=("multinli.train.zh.tsv", "XNLI-MT-1.0/multinli/multinli.train.zh.tsv"),
            dev=("xnli.dev.tsv", "XNLI-1.0/xnli.dev.tsv"),
            test=("xnli.test.tsv", "XNLI-1.0/xnli.test.tsv"),
        ),
        read=read_xnli,
        measures=_EVEN,
        preset="xnli",
        labels=_INFERENCE,
        published=PUBLISHED["xnli"],
    ),
    "chnsenticorp": Task(
        title="ChnSentiCorp",
        objective="classification",
        files=_files(),
        read=read_classification,
        measures=_EVEN,
        preset="chnsenticorp",
        labels=_YES_OR_NO,
        published=PUBLISHED["chnsenticorp"],
    ),
    "lcqmc": Task(
        title="LCQMC",
        objective="classification",
        files=_files(),
        read=read_pairs,
        measures=_EVEN,
        preset="lcqmc",
        labels=_YES_OR_NO,
        published=PUBLISHED["lcqmc"],
    ),
    "bq": Task(
        title="BQ Corpus",
        objective="classification",
        files=_files(train=("BQ_train.csv",), dev=("BQ_dev.csv",), test=("BQ_test.csv",)),
        read=read_pairs,
        measures=_EVEN,
        preset="bq",
        labels=_YES_OR_NO,
        published=PUBLISHED["bq"],
    ),
    "afqmc": Task(
        title="AFQMC",
        objective="classification",
        files=_files(),
        read=read_pairs,
        measures=_UNEVEN,
        preset="afqmc",
        labels=_YES_OR_NO,
    ),
    "tnews": Task(
        title="TNEWS",
        objective="classification",
        files=_files(),
        read=read_classification,  # the headline alone, without keywords, as CLUE's baselines
        measures=_EVEN,
        preset="tnews",
        labels=_NEWS,
    ),
    "ocnli": Task(
        title="OCNLI",
        objective="classification",
        files=_files(train=("train.50k.json", "train.10k.json", "train.3k.json")),
        read=read_ocnli,
        measures=_EVEN,
        preset="ocnli",
        labels=_INFERENCE,
    ),
    "cluewsc": Task(
        title="CLUEWSC",
        objective="classification",
        files=_files(),
        read=read_cluewsc,
        measures=_UNEVEN,
        preset="cluewsc",
        labels=("false", "true"),
    ),
    "classification": Task(
        title="classification of texts",
        objective="classification",
        files=_files(),
        read=read_classification,
        measures=_UNEVEN,
        preset="classification",
    ),
    "pair": Task(
        title="classification of pairs",
        objective="classification",
        files=_files(),
        read=read_pairs,
        measures=_UNEVEN,
        preset="pair",
    ),
}
