#!/usr/bin/env bash
# What a masking recipe is worth at small scale: the same model, text and steps with four recipes, and random weights, on three tasks;
# random weights and MacBERT on three more.
#
#   bash scripts/compare_masking.sh 'corpus/*.txt' data work/masking
#
# The data: folders chnsenticorp, ocnli (train.10k.json, dev.json), waimai (waimai_10k.csv), xnli (dev, test), cmrc2018 (dev, trial) and
# drcd (dev, test). About 9 hours of two cores. Killed, it goes on with the same command; it gives way to other work. PYTHON=... names the
# interpreter.
source "$(dirname "$0")/common.sh" || exit
renice -n 19 $$ >/dev/null

[ $# -eq 3 ] || usage 5
text=$1 data=$2 out=$3
python=$(find_python 3.9)
"$python" -c "import tensorflow" 2>/dev/null || { ensure_env .venv "$python" data,train && python=.venv/bin/python; }
mkdir -p "$out"

# recipe: masking.selector masking.corruption
declare -A recipes=([piece]="piece partial_mask" [word]="word partial_mask" [ngram]="ngram partial_mask" [macbert]="ngram similar")

say "1/4 words"
[ -e "$out/ltp/source.txt" ] || "$python" -m data_gen segmenter fetch --output "$out/ltp"
# shellcheck disable=SC2086 # the pattern may name several files
"$python" -m data_gen segment --config configs/data/macbert_512.yaml --input $text --output "$out/words" --set segmenter.model="$out/ltp"

say "2/4 models"
for name in macbert ngram word piece; do
  read -r selector corruption <<<"${recipes[$name]}"
  "$python" -m data_gen build --config configs/data/macbert_512.yaml --input "$out/words" --output "$out/data-$name" \
    --set max_seq_length=128 --set dupe_factor=1 --set num_shards=8 \
    --set masking.selector="$selector" --set masking.corruption="$corruption"
  "$python" -m pretrain train --config configs/pretrain/small.yaml --data "$out/data-$name" --output "$out/model-$name" \
    --set precision=bfloat16
done

# finetune_on TASK MODEL OUTPUT ARGUMENTS...: a model is the name of a recipe, or none.
finetune_on() {
  local random=()
  [ "$2" != none ] || random=(--random-init)
  "$python" -m pretrain finetune --task "${kind[$1]}" --data "$out/tasks/$1" --init "$out/model-${2/none/macbert}" \
    ${random[@]+"${random[@]}"} --output "$3" --set max_seq_length="${length[$1]}" --set train_batch_size=32 --set num_train_epochs=3 \
    --dev-share 0.1 --set dropout=0.1 --set gradient_accumulation_steps=4 --set precision=bfloat16 \
    --set doc_stride=64 "${@:4}" >/dev/null
}

say "3/4 tasks"
declare -A kind=([chnsenticorp]=chnsenticorp [ocnli]=ocnli [waimai]=classification [xnli]=xnli [cmrc2018]=cmrc2018 [drcd]=drcd)
declare -A length=([chnsenticorp]=256 [ocnli]=128 [waimai]=128 [xnli]=128 [cmrc2018]=128 [drcd]=128)
"$python" scripts/masking_tasks.py folders "$data" "$out/tasks"
for task in ocnli waimai chnsenticorp xnli cmrc2018 drcd; do
  case $task in
    ocnli | waimai | chnsenticorp) models="none piece word ngram macbert" runs=5 ;;
    *) models="none macbert" runs=3 ;;
  esac
  # The rate is chosen once for all models, with a seed that does not count.
  for rate in 5.0e-5 1.0e-4 3.0e-4; do
    for model in none macbert; do
      finetune_on "$task" "$model" "$out/rates/$task/$rate-$model" --first-seed 99 --set learning_rate="$rate"
    done
  done
  rate=$("$python" scripts/masking_tasks.py rate "$out/rates/$task")
  echo "$task: rate $rate"
  for model in $models; do
    finetune_on "$task" "$model" "$out/runs/$task/$model" --runs "$runs" --set learning_rate="$rate"
  done
done

say "4/4 results"
"$python" -m pretrain results --markdown "$out/runs" | tee "$out/results.md"
