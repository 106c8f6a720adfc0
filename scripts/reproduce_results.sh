#!/usr/bin/env bash
# The six tasks of the MacBERT paper, ten runs each, as one table in the form of HFL's README.
#
#   bash scripts/reproduce_results.sh work/model data work/results
#
# The model: a folder with a checkpoint, bert_config.json and vocab.txt. The data: folders cmrc2018, drcd, xnli, chnsenticorp, lcqmc and
# bq with the published files; a task without a folder is left out, and said so. Killed, it goes on with the same command. Fewer runs:
# RUNS=3. Further settings for all tasks: SETS="precision=bfloat16". PYTHON=... names the interpreter.
source "$(dirname "$0")/common.sh" || exit

[ $# -eq 3 ] || usage 4
model=$1 data=$2 out=$3
python=$(find_python 3.9)
"$python" -c "import tensorflow" 2>/dev/null || { ensure_env .venv "$python" data,train && python=.venv/bin/python; }

sets
done=()
for task in cmrc2018 drcd xnli chnsenticorp lcqmc bq; do
  if [ ! -d "$data/$task" ]; then
    echo "no folder $data/$task: the task is left out" >&2
    continue
  fi
  say "$task"
  "$python" -m pretrain finetune --task "$task" --data "$data/$task" --init "$model" --output "$out/$task" \
    --runs "${RUNS:-10}" ${options[@]+"${options[@]}"}
  [ -e "$out/$task/results.json" ] || exit 0  # stopped by SIGTERM, as it has said
  done+=("$out/$task")
done
[ ${#done[@]} -gt 0 ] || { echo "$data has none of the tasks' folders" >&2; exit 1; }

say "all tasks"
"$python" -m pretrain results --markdown "${done[@]}"
