#!/usr/bin/env bash
# Text to a trained, evaluated and exported MacBERT-base on one NVIDIA GPU: data on the CPU, then bfloat16 (Ampere and later).
#
#   bash scripts/train_gpu.sh 'corpus/*.txt' heldout.txt work/macbert chinese_L-12_H-768_A-12/bert_model.ckpt
#
# The fourth argument, a checkpoint to start from, may be left out. What is whole is used again, so after a crash the same command
# goes on. Further settings: SETS="train_batch_size=256 gradient_accumulation_steps=8". On a V100 or T4: PRECISION=float16.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

if [ $# -lt 3 ]; then
  sed -n '4p' "$0" | cut -c3- >&2
  exit 2
fi
text=$1 heldout=$2 out=$3 init=${4:-}
config=configs/pretrain/macbert_base.yaml
mkdir -p "$out"

say "1/4 environment"
ensure_env .venv "$(find_python 3.9)" data,gpu
python=.venv/bin/python

say "2/4 records"
build_macbert_data "$python" "$out" "$text" "$heldout"

say "3/4 training"
settings=(precision="${PRECISION:-bfloat16}" jit_compile=true gradient_accumulation_steps=8 ${SETS:-})
$python -m pretrain plan --config $config --device "${DEVICE:-a100-80}" --data "$out/data" $(sets "${settings[@]}")
quietly $python -m pretrain train --config $config --data "$out/data" --heldout "$out/data-heldout" \
  --output "$out/model" ${init:+--init "$init"} $(sets "${settings[@]}")

say "4/4 evaluation and release"
quietly $python -m pretrain evaluate --model "$out/model" --data "$out/data-heldout" --similar-words "$out/synonyms.npz"
[ -e "$out/release/bert_model.ckpt.index" ] ||
  quietly $python -m pretrain export --format tf1 --model "$out/model" --output "$out/release"
