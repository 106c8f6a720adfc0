"""A build beside which held-out data are made: by the same recipe, with the same table of similar
words, from documents whose text is in none of those trained on.
"""

import dataclasses
import os
from typing import Any, Dict, NamedTuple, Optional, Union

from data_gen.core.progress import Progress
from data_gen.corpus.duplicates import ByShare, CountedTexts, NotIn
from data_gen.engine.processes import Engine
from data_gen.jobs.build_dataset import BuildPlan, plan_build
from data_gen.jobs.inputs import Inputs, resolve_inputs, scan_text_files
from data_gen.shared.dataset.dataset_info import MANIFEST
from data_gen.shared.errors import UserError
from data_gen.storage.dataset_folder import read_dataset
from data_gen.storage.folders import list_names
from data_gen.storage.locations import plain_path

SUFFIX = "-heldout"  # behind the name of the training's folder


class Split(NamedTuple):
    """The two inputs of a build with held-out data."""

    trained: Inputs
    heldout: Inputs
    documents: Optional[int]  # that are held out; None: as the plan of the training counts them
    asked: str  # the argument, for messages


def split_inputs(
    inputs: Inputs, heldout: Union[float, str], engine: Engine, show: Progress
) -> Split:
    """Divide an input: into a share of its documents by a seeded hash of their text, and the
    others; or into the text files `heldout` and those documents that are not in them.

    Raises UserError for a segmented corpus, whose text is not at hand, and as `scan_text_files`
    does.
    """
    _require_text(inputs)
    config = dataclasses.replace(inputs.config, dupe_factor=1, num_shards=1)
    if isinstance(heldout, float):
        part = ByShare(config.random_seed, heldout, held_out=False)
        return Split(
            inputs._replace(part=part),
            inputs._replace(part=part._replace(held_out=True), config=config),
            None,
            f"{heldout:g}",
        )
    other = resolve_inputs(config, [heldout])
    _require_text(other)
    texts = CountedTexts()
    scan_text_files([heldout], config.corpus, None, engine, show, seen=texts)
    documents = len(texts) if config.corpus.drop_duplicates else texts.documents
    return Split(inputs._replace(part=NotIn(frozenset(texts))), other, documents, heldout)


def _require_text(inputs: Inputs) -> None:
    if inputs.segmented:
        raise UserError(
            f"{inputs.segmented.folder} is a segmented corpus, which --heldout cannot divide: give "
            "the text itself; or segment held-out text into a folder of its own, and build that "
            "with --set synonyms.table=OUTPUT/synonyms.safetensors"
        )


def plan_trained(split: Split, output: str, engine: Engine, show: Progress) -> BuildPlan:
    """Plan the data to train on. Raises UserError as `plan_build` does, if one of the two sets is
    empty, and if the folder of the held-out data has others.
    """
    plan = plan_build(split.trained, output, engine, show)
    chosen = plan.corpus.chosen
    assert chosen is not None
    if not chosen.documents:
        raise UserError(
            f"--heldout {split.asked} leaves none of the {chosen.left_out:,} documents to train "
            "on: hold out fewer"
        )
    if split.documents is None and not chosen.left_out:
        raise UserError(
            f"--heldout {split.asked} holds out none of the {chosen.documents:,} documents: give a "
            "larger share, or a file of held-out text; corpus.format says what a document is"
        )
    folder = heldout_folder(plan.output)
    _require_same(folder, plan)
    size = {"folder": os.path.basename(folder), **_sizes(split, plan)}
    return plan._replace(beside={"heldout": size})


def plan_heldout(split: Split, trained: BuildPlan, engine: Engine, show: Progress) -> BuildPlan:
    """Plan the held-out data, when the data to train on are there. Raises UserError as `plan_build`
    does.
    """
    config = dataclasses.replace(split.heldout.config, synonyms=trained.effective.synonyms)
    inputs = split.heldout._replace(config=config)
    plan = plan_build(inputs, heldout_folder(trained.output), engine, show)
    size = {"fingerprint": trained.fingerprint, **_sizes(split, trained)}
    return plan._replace(beside={"heldout_of": size})


def heldout_folder(output: str) -> str:
    """Return the folder of the held-out data of a build."""
    return plain_path(output).rstrip("/") + SUFFIX


def _sizes(split: Split, trained: BuildPlan) -> Dict[str, int]:
    """Return the documents of both sets, for the dataset.json of both."""
    chosen = trained.corpus.chosen
    assert chosen is not None
    heldout = chosen.left_out if split.documents is None else split.documents
    return {"documents_trained": chosen.documents, "documents_heldout": heldout}


def _require_same(folder: str, trained: BuildPlan) -> None:
    """Raise UserError if a folder holds held-out data of another training: before the work."""
    if MANIFEST not in list_names(folder):
        return
    found: Dict[str, Any] = read_dataset(folder).manifest.get("heldout_of") or {}
    if found.get("fingerprint") != trained.fingerprint:
        raise UserError(
            f"{folder} holds other data than the held-out ones of this build: choose another "
            "--output"
        )
