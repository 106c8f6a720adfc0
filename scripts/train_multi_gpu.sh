#!/usr/bin/env bash
# The same on all GPUs of one machine, or of several with a shared folder:
#
#   bash scripts/train_multi_gpu.sh work/macbert/data work/macbert/model [HOST:PORT ...]
#
# Run it on every host with the same hosts in the same order; a host finds itself by name, or by INDEX=0, 1, ... Records are made once
# before (scripts/train_gpu.sh, or python -m data_gen build). Where one process dies, all end and start again from the newest
# checkpoint, at most RETRIES times. Further settings: SETS="key=value ...". Another preset: CONFIG=configs/pretrain/NAME.yaml.
source "$(dirname "$0")/common.sh" || exit

[ $# -ge 2 ] || usage 4
data=$1 model=$2 config=${CONFIG:-configs/pretrain/macbert_base.yaml}
shift 2
hosts=("$@")

ensure_env .venv "$(find_python 3.9)" gpu

if [ ${#hosts[@]} -gt 1 ]; then
  index=${INDEX:-}
  for i in "${!hosts[@]}"; do
    name=${hosts[$i]%:*}
    if [ -z "$index" ] && { [ "$name" = "$(hostname)" ] || [ "$name" = "$(hostname -f)" ]; }; then index=$i; fi
  done
  if [ -z "$index" ]; then
    echo "none of ${hosts[*]} is $(hostname): say which one with INDEX=0, 1, ..." >&2
    exit 1
  fi
  list=$(printf '"%s",' "${hosts[@]}")
  export TF_CONFIG="{\"cluster\": {\"worker\": [${list%,}]}, \"task\": {\"type\": \"worker\", \"index\": $index}}"
fi

sets precision="${PRECISION:-bfloat16}" jit_compile=true
for ((attempt = 0; ; attempt++)); do
  .venv/bin/python -m pretrain train --config "$config" --data "$data" --output "$model" \
    "${options[@]}" && break
  [ "$attempt" -lt "${RETRIES:-3}" ] || exit 1
  echo "ended with an error; once more in 30 s from the newest checkpoint" >&2
  sleep 30
done
