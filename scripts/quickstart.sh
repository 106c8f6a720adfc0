#!/usr/bin/env bash
# From a fresh clone to a trained, evaluated, fine-tuned MacBERT: five to eight minutes on two cores, all of it below work/ and .venv/.
# Needs Python 3.9 or newer and a package index. Run again, it reuses what is whole. PYTHON=... names the interpreter.
#
#   bash scripts/quickstart.sh
source "$(dirname "$0")/common.sh" || exit

[ $# -eq 0 ] || usage 5

out=work/quickstart
mkdir -p "$out"
start=$SECONDS

say "1/7 environment in .venv"
ensure_env .venv "$(find_python 3.9)" data,sample,train
python=.venv/bin/python
installed=$SECONDS

say "2/7 text, segmenter"
[ -e "$out/text/reviews/test.tsv" ] || $python -m data_gen corpus sample --output "$out/text"
# Beside all that follows, random weights of the same shape are fine-tuned, for comparison: much of it leaves a core idle.
finetune=("$python" -m pretrain finetune --task classification --data "$out/text/reviews" --runs 2
  --set max_seq_length=128 --set learning_rate=3.0e-4)
mkdir -p "$out/untrained"
cp configs/models/tiny.json "$out/untrained/bert_config.json"
cp configs/vocab/bert_base_chinese.txt "$out/untrained/vocab.txt"
TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 nice "${finetune[@]}" --init "$out/untrained" --random-init \
  --output "$out/reviews-none" >"$out/reviews-none.log" 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null || true' EXIT # where this script ends first
if [ ! -e "$out/ltp/source.txt" ] && ! $python -m data_gen segmenter fetch --output "$out/ltp" 2>"$out/fetch.log"; then
  echo "LTP/legacy cannot be fetched here: training an LTP perceptron on gold words instead"
  $python -m data_gen segmenter train --epochs 3 --output "$out/ltp"
fi

say "3/7 TFRecords (whole words, n-grams, similar words, sentence order)"
build_data "$python" configs/data/tiny.yaml "$out" "$out/text/train.txt" "$out/text/heldout.txt"

say "4/7 training configs/pretrain/tiny.yaml"
$python -m pretrain train --config configs/pretrain/tiny.yaml --data "$out/data" --heldout "$out/data-heldout" --output "$out/model"

say "5/7 evaluating on held-out text"
$python -m pretrain evaluate --model "$out/model" --data "$out/data-heldout"

say "6/7 fine-tuning on a few reviews"
"${finetune[@]}" --init "$out/model" --output "$out/reviews-model"
wait "$beside" || { cat "$out/reviews-none.log" >&2 && exit 1; }
trap - EXIT
cat "$out/reviews-none.log"

say "7/7 exporting a BERT release"
[ -e "$out/release/bert_model.ckpt.index" ] ||
  $python -m pretrain export --format tf1 --model "$out/model" --output "$out/release"

$python -m pretrain report "$out"
$python -m pretrain report "$out" --html "$out/report.html"
echo "$((installed - start)) s for the installation, $((SECONDS - installed)) s for the rest"
