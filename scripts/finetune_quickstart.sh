#!/usr/bin/env bash
# What the quickstart's model is worth: it and random weights of the same shape, fine-tuned on a few reviews, in two minutes on two cores.
# Needs what scripts/quickstart.sh has made. Run again, it reuses what is whole.
#
#   bash scripts/finetune_quickstart.sh
source "$(dirname "$0")/common.sh" || exit

[ $# -eq 0 ] || usage 5

out=work/quickstart
python=.venv/bin/python
if [ ! -e "$out/release/bert_model.ckpt.index" ]; then
  echo "there is no model yet: bash scripts/quickstart.sh makes it" >&2
  exit 1
fi

mkdir -p "$out/untrained"
cp configs/models/tiny.json "$out/untrained/bert_config.json"
cp configs/vocab/bert_base_chinese.txt "$out/untrained/vocab.txt"

# At once, a core each: at this size a second core saves little.
export TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
finetune=("$python" -m pretrain finetune --task classification --data "$out/text/reviews" --runs 2
  --set max_seq_length=128 --set learning_rate=3.0e-4)
"${finetune[@]}" --init "$out/untrained" --random-init --output "$out/reviews-none" >"$out/reviews-none.log" 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null || true' EXIT # where this script ends first
"${finetune[@]}" --init "$out/model" --output "$out/reviews-model"
wait "$beside" || { cat "$out/reviews-none.log" >&2 && exit 1; }
trap - EXIT

$python -m pretrain results "$out/reviews-none" "$out/reviews-model"
