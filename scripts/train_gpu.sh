#!/usr/bin/env bash
# Text to a trained, evaluated and exported MacBERT-base on one NVIDIA GPU: data on the CPU, then bfloat16 (Ampere and later).
#
#   bash scripts/train_gpu.sh 'corpus/*.txt' heldout.txt work/macbert chinese_L-12_H-768_A-12/bert_model.ckpt
#
# The fourth argument, a checkpoint to start from, may be left out. What is whole is used again, so after a crash the same command
# goes on. Further settings: SETS="train_batch_size=256 gradient_accumulation_steps=8". On a V100 or T4: PRECISION=float16. Another
# recipe: CONFIG=configs/pretrain/roberta_wwm_ext.yaml DATA_CONFIG=configs/data/roberta_wwm_512.yaml.
source "$(dirname "$0")/common.sh" || exit

[ $# -ge 3 ] || usage 4
text=$1 heldout=$2 out=$3 init=${4:-}
config=${CONFIG:-configs/pretrain/macbert_base.yaml} data_config=${DATA_CONFIG:-configs/data/macbert_512.yaml}
mkdir -p "$out"

say "1/4 environment"
ensure_env .venv "$(find_python 3.9)" data,gpu
python=.venv/bin/python

say "2/4 records"
build_data "$python" "$data_config" "$out" "$text" "$heldout"
table=$out/data/synonyms.safetensors
[ -e "$table" ] || table=

say "3/4 training"
sets precision="${PRECISION:-bfloat16}" jit_compile=true gradient_accumulation_steps=8
$python -m pretrain plan --config "$config" --device "${DEVICE:-a100-80}" --data "$out/data" "${options[@]}"
trained=$($python -m pretrain train --config "$config" --data "$out/data" --heldout "$out/data-heldout" \
  --output "$out/model" ${init:+--init "$init"} "${options[@]}")
[ -n "$trained" ] || exit 0  # stopped by SIGTERM, as it has said

say "4/4 evaluation and releases"
$python -m pretrain evaluate --model "$trained" --data "$out/data-heldout" ${table:+--similar-words "$table"}
for format in tf1 hf; do
  [ -d "$out/release-$format" ] || $python -m pretrain export --format "$format" --model "$trained" --output "$out/release-$format"
done
