#!/usr/bin/env bash
# From a fresh clone to a trained, evaluated, exported MacBERT: three to five minutes on two cores, all of it below work/ and .venv/.
# Needs Python 3.9 or newer and a package index. Run again, it reuses what is whole. PYTHON=... names the interpreter.
#
#   bash scripts/quickstart.sh
source "$(dirname "$0")/common.sh" || exit

[ $# -eq 0 ] || usage 5

out=work/quickstart
mkdir -p "$out"
start=$SECONDS

say "1/6 environment in .venv"
ensure_env .venv "$(find_python 3.9)" data,sample,train
python=.venv/bin/python
installed=$SECONDS

say "2/6 text, segmenter"
[ -e "$out/text/reviews/test.tsv" ] || $python -m data_gen corpus sample --output "$out/text"
if [ ! -e "$out/ltp/source.txt" ] && ! $python -m data_gen segmenter fetch --output "$out/ltp" 2>"$out/fetch.log"; then
  echo "LTP/legacy cannot be fetched here: training an LTP perceptron on gold words instead"
  $python -m data_gen segmenter train --epochs 3 --output "$out/ltp"
fi

say "3/6 TFRecords (whole words, n-grams, similar words, sentence order)"
build_data "$python" configs/data/tiny.yaml "$out" "$out/text/train.txt" "$out/text/heldout.txt"

say "4/6 training configs/pretrain/tiny.yaml"
$python -m pretrain train --config configs/pretrain/tiny.yaml --data "$out/data" --heldout "$out/data-heldout" --output "$out/model"

say "5/6 evaluating on held-out text"
$python -m pretrain evaluate --model "$out/model" --data "$out/data-heldout"

say "6/6 exporting a BERT release"
[ -e "$out/release/bert_model.ckpt.index" ] ||
  $python -m pretrain export --format tf1 --model "$out/model" --output "$out/release"

$python -m pretrain report "$out"
$python -m pretrain report "$out" --html "$out/report.html"
echo "what it is worth on labelled reviews: bash scripts/finetune_quickstart.sh"
echo "$((installed - start)) s for the installation, $((SECONDS - installed)) s for the rest"
