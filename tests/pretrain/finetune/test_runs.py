import dataclasses
import json
import os

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.finetune.runs import Data, Source, finetune, prepare
from pretrain.results.files import find_results
from pretrain.train.step import TrainStep
from tests.pretrain.finetune.conftest import SETTINGS, write_texts


def lines_of(*path):
    with open(os.path.join(*path), encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def without_time(results):
    return {
        **results,
        "runs": [{n: x for n, x in run.items() if n != "cpu_seconds"} for run in results["runs"]],
    }


def test_a_classification(texts, model, tmp_path, capsys):
    output = str(tmp_path / "out")
    results = finetune(Data("classification", texts), Source(model), output, SETTINGS, [1, 2])
    assert results["labels"] == ["0", "1"]
    assert results["chosen_on"] == "dev"
    assert [results["parts"][part]["examples"] for part in ("train", "dev", "test")] == [64, 20, 30]
    for run in results["runs"]:
        of_epochs = [epoch["dev"]["accuracy"] for epoch in run["epochs"]]
        assert len(of_epochs) == 3
        assert run["best_epoch"] == 1 + of_epochs.index(max(of_epochs))
        assert run["dev"]["accuracy"] == max(of_epochs)
        assert run["test"]["accuracy"] > 0.8
    folder = os.path.join(output, "run-1")
    found = lines_of(folder, "predictions-test.jsonl")
    with open(os.path.join(texts, "test.tsv"), encoding="utf-8") as handle:
        labels = [line.split("\t")[0] for line in handle][1:]
    assert [line["label"] for line in found] == labels  # the file's order, not the records'
    right = [line["label"] == line["predicted"] for line in found]
    assert [line["right"] for line in found] == right
    assert np.mean(right) == pytest.approx(results["runs"][0]["test"]["accuracy"])
    assert len(lines_of(folder, "predictions-dev.jsonl")) == 20
    assert not [name for name in os.listdir(folder) if name.startswith("predictions-dev-")]
    # The weights of the chosen epoch, without slots, are what scored.
    step = 8 * results["runs"][0]["best_epoch"]
    assert store.saved_steps(folder) == [step]
    assert set(store.read(store.find(folder))) == {*load_model(folder).variables, "global_step"}
    assert find_results([output])[0].task == "classification"


def test_killed_in_run_3_of_5(texts, model, tmp_path, monkeypatch):
    data, source = Data("classification", texts), Source(model)
    whole, output = str(tmp_path / "whole"), str(tmp_path / "out")
    expected = finetune(data, source, whole, SETTINGS, range(1, 6))
    call, steps = TrainStep.__call__, []

    def killed(self, *args):
        steps.append(1)
        if len(steps) == 2 * 24 + 13:
            raise KeyboardInterrupt
        return call(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(TrainStep, "__call__", killed)
        with pytest.raises(KeyboardInterrupt):
            finetune(data, source, output, SETTINGS, range(1, 6))
    assert not os.path.exists(os.path.join(output, "results.json"))
    calls = []
    monkeypatch.setattr(TrainStep, "__call__", lambda s, *a: calls.append(1) or call(s, *a))
    found = finetune(data, source, output, SETTINGS, range(1, 6))
    assert without_time(found) == without_time(expected)
    assert len(calls) == 24 - 8 + 2 * 24  # from the checkpoint of run 3's first epoch on
    for name in ("predictions-dev.jsonl", "predictions-test.jsonl"):
        assert lines_of(whole, "run-3", name) == lines_of(output, "run-3", name)
    assert len({run["dev"]["accuracy"] for run in found["runs"]}) > 1 or (
        len({json.dumps(run["epochs"]) for run in found["runs"]}) > 1
    )


def test_random_weights_are_a_baseline(texts, model, tmp_path):
    output = str(tmp_path / "out")
    results = finetune(
        Data("classification", texts), Source(model, random=True), output, SETTINGS, [1, 2]
    )
    assert results["model"]["name"] == "none"
    name = "bert/encoder/layer_0/intermediate/dense/kernel"
    trained = [store.read(store.find(f"{output}/run-{seed}"))[name] for seed in (1, 2)]
    start = store.read(store.find(model))[name]
    assert all(np.corrcoef(array.ravel(), start.ravel())[0, 1] < 0.5 for array in trained)
    assert np.corrcoef(trained[0].ravel(), trained[1].ravel())[0, 1] < 0.5


def test_without_a_dev_part_the_last_epoch_counts(model, tmp_path):
    texts = write_texts(tmp_path / "texts", {"train": 40, "test": 20})
    data = Data("classification", texts)
    results = finetune(data, Source(model), str(tmp_path / "out"), SETTINGS, [1])
    assert results["chosen_on"] is None
    assert results["runs"][0]["best_epoch"] == 3
    assert "dev" not in results["runs"][0]
    split = finetune(
        data._replace(dev_share=0.25), Source(model), str(tmp_path / "split"), SETTINGS, [1]
    )
    parts = {part: about["examples"] for part, about in split["parts"].items()}
    assert parts["train"] + parts["dev"] == 40
    assert 4 <= parts["dev"] <= 16
    assert split["chosen_on"] == "dev"
    (read,) = find_results([str(tmp_path / "split")])
    digest = file_sha256(os.path.join(texts, "train.tsv"))
    assert read.parts["dev"] == f"{parts['dev']} of {digest}"
    assert read.of("dev", "accuracy") == [split["runs"][0]["dev"]["accuracy"]]


def test_a_test_part_without_labels_gets_predictions(texts, model, tmp_path):
    with open(os.path.join(texts, "test.tsv"), encoding="utf-8") as handle:
        lines = [line.split("\t")[1] for line in handle]
    with open(os.path.join(texts, "test.tsv"), "w", encoding="utf-8") as handle:
        handle.writelines(lines)
    output = str(tmp_path / "out")
    results = finetune(Data("classification", texts), Source(model), output, SETTINGS, [1])
    assert "test" not in results["runs"][0]
    found = lines_of(output, "run-1", "predictions-test.jsonl")
    assert len(found) == 30
    assert all(set(line) == {"id", "predicted", "probability"} for line in found)
    assert find_results([output])[0].runs[0].scores.keys() == {"dev"}


def test_without_dev_and_test_nothing_could_be_measured(model, tmp_path):
    data = Data("classification", write_texts(tmp_path / "texts", {"train": 40}))
    with pytest.raises(UserError, match=r"has neither a dev nor a test part, .* --dev-share"):
        finetune(data, Source(model), str(tmp_path / "out"), SETTINGS, [1])


def test_a_span_task(questions, model, tmp_path):
    settings = dataclasses.replace(SETTINGS, num_train_epochs=6, max_seq_length=12)
    output = str(tmp_path / "out")
    results = finetune(Data("cmrc2018", questions), Source(model), output, settings, [1])
    run = results["runs"][0]
    assert results["labels"] is None
    assert run["dev"]["exact_match"] > 0.2  # a span of the right place and length by chance: 0.03
    assert run["dev"]["average"] == pytest.approx(
        (run["dev"]["exact_match"] + run["dev"]["f1"]) / 2
    )
    found = lines_of(output, "run-1", "predictions-dev.jsonl")
    assert [line["id"] for line in found] == [f"dev-{number}" for number in range(12)]
    with open(os.path.join(output, "run-1", "nbest-dev.json"), encoding="utf-8") as handle:
        best = json.load(handle)
    assert {line["id"]: line["text"] for line in found} == {
        name: answers[0]["text"] for name, answers in best.items()
    }
    assert all(1 <= len(answers) <= 5 for answers in best.values())
    assert all(
        sum(answer["probability"] for answer in answers) == pytest.approx(1, abs=1e-4)
        for answers in best.values()
    )


def test_features_made_before(texts, model, tmp_path):
    data, source, other = Data("classification", texts), Source(model), str(tmp_path / "other")
    setup = prepare(data, source, other, SETTINGS)
    given = Data("classification", setup.features.folder, are_features=True)
    found = finetune(given, source, str(tmp_path / "a"), SETTINGS, [1])
    expected = finetune(data, source, str(tmp_path / "b"), SETTINGS, [1])
    assert without_time(found) == without_time(expected)
    shorter = dataclasses.replace(SETTINGS, max_seq_length=12)
    with pytest.raises(UserError, match="differ in settings: make them with the same task"):
        finetune(given, source, str(tmp_path / "c"), shorter, [1])


def test_a_folder_belongs_to_one_fine_tuning(texts, model, tmp_path):
    output = str(tmp_path / "out")
    finetune(Data("classification", texts), Source(model), output, SETTINGS, [1])
    faster = dataclasses.replace(SETTINGS, learning_rate=0.03)
    with pytest.raises(UserError, match=r"fine-tuning \(learning_rate is .* there, 0.03 here\)"):
        finetune(Data("classification", texts), Source(model), output, faster, [1])
    more = finetune(Data("classification", texts), Source(model), output, SETTINGS, [1, 2, 3])
    assert [run["seed"] for run in more["runs"]] == [1, 2, 3]


def test_padding_does_not_count(texts, model, tmp_path):
    """Full length, trimmed, and trimmed in four micro batches of like lengths: the same results."""
    plain = dataclasses.replace(SETTINGS, dropout=0.0, num_train_epochs=1, learning_rate=1e-3)
    found = []
    for number, (pad_to, micro_batches) in enumerate([(None, 1), (4, 1), (4, 4)]):
        settings = dataclasses.replace(
            plain, pad_to=pad_to, gradient_accumulation_steps=micro_batches
        )
        output = str(tmp_path / str(number))
        finetune(Data("classification", texts), Source(model), output, settings, [1])
        found.append(store.read(store.find(f"{output}/run-1")))
    for name, array in found[0].items():
        for other in found[1:]:
            np.testing.assert_allclose(other[name], array, atol=2e-5, err_msg=name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train_batch_size": 100}, "holds 64 sequences, fewer than one batch of 100: lower"),
        ({"max_seq_length": 64}, "max_seq_length is 64, but .* has 40 positions: set it to at"),
    ],
)
def test_what_cannot_be_done_is_said(texts, model, tmp_path, change, said):
    settings = dataclasses.replace(SETTINGS, **change)
    with pytest.raises(UserError, match=said):
        finetune(Data("classification", texts), Source(model), str(tmp_path / "out"), settings, [1])


def test_a_foreign_label_is_named_with_its_line(texts, model, tmp_path):
    with open(os.path.join(texts, "dev.tsv"), "a", encoding="utf-8") as handle:
        handle.write("2\t日月天\n")
    with pytest.raises(UserError, match=r"dev.tsv, line 22 .*2"):
        finetune(Data("classification", texts), Source(model), str(tmp_path / "out"), SETTINGS, [1])


def test_the_command(texts, model, tmp_path, capsys, monkeypatch):
    output = str(tmp_path / "out")
    sets = [
        text
        for name in ("max_seq_length", "learning_rate", "train_batch_size", "pad_to")
        for text in ("--set", f"{name}={getattr(SETTINGS, name)}")
    ]
    arguments = ["--task", "classification", "--data", texts, "--init", model, "--output", output]
    assert main(["finetune", *arguments, *sets, "--runs", "2"]) == 0
    said = capsys.readouterr().out
    assert "max (mean) +- sd" in said
    assert "best epoch chosen on dev, never on test" in said
    assert main(["finetune", *arguments[:-1], f"{output}-2", *sets, "--features-only"]) == 0
    assert capsys.readouterr().out.strip() == os.path.join(f"{output}-2", "features")
    assert main(["results", output]) == 0
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("most", [10, 1000, 5000])
def test_a_full_disk_names_the_path_and_later_the_same_call_goes_on(
    texts, model, tmp_path, files_up_to, most
):
    output = str(tmp_path / "out")
    files_up_to(most)
    with pytest.raises(UserError, match=rf"^cannot write {output}.*make room there$"):
        finetune(Data("classification", texts), Source(model), output, SETTINGS, [1])
    files_up_to(-1)  # as much as there is
    left = os.listdir(output) if os.path.isdir(output) else []
    assert not [name for name in left if "partial" in name or name in ("results.json", ".lock")]
    results = finetune(Data("classification", texts), Source(model), output, SETTINGS, [1])
    assert results["runs"][0]["test"]["accuracy"] > 0.8
