#!/usr/bin/env bash
# What a masking recipe is worth at small scale: the same model, text and steps with four recipes, and random weights, on three tasks;
# random weights and MacBERT on three more. Then ELECTRA with two of the recipes, for as many operations, and its random weights, on two.
#
#   bash scripts/compare_masking.sh 'corpus/*.txt' data work/masking
#
# The data: folders chnsenticorp, ocnli (train.10k.json, dev.json), waimai (waimai_10k.csv), xnli (dev, test), cmrc2018 (dev, trial) and
# drcd (dev, test). About 15 hours of two cores. Killed, it goes on with the same command; it gives way to other work. PYTHON=... names the
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

# train_on RECIPE PRESET MODEL
train_on() {
  "$python" -m pretrain train --config "configs/pretrain/$2.yaml" --data "$out/data-$1" --output "$out/$3" --set precision=bfloat16
}

say "2/4 models"
for name in macbert ngram word piece; do
  read -r selector corruption <<<"${recipes[$name]}"
  "$python" -m data_gen build --config configs/data/macbert_512.yaml --input "$out/words" --output "$out/data-$name" \
    --set max_seq_length=128 --set dupe_factor=1 --set num_shards=8 \
    --set masking.selector="$selector" --set masking.corruption="$corruption"
  train_on "$name" small "model-$name"
done
for name in ngram piece; do train_on "$name" electra_mini "model-electra_$name"; done

say "3/4 tasks"
declare -A kind=([chnsenticorp]=chnsenticorp [ocnli]=ocnli [waimai]=classification [xnli]=xnli [cmrc2018]=cmrc2018 [drcd]=drcd)
declare -A length=([chnsenticorp]=256 [ocnli]=128 [waimai]=128 [xnli]=128 [cmrc2018]=128 [drcd]=128)

# finetune_on TASK MODEL OUTPUT ARGUMENTS...: a model is the name of one above, or none, or electra_none.
finetune_on() {
  local random=() init=$2
  case $2 in
    *none) random=(--random-init) init=${2/none/ngram} ;;
  esac
  "$python" -m pretrain finetune --task "${kind[$1]}" --data "$out/tasks/$1" --init "$out/model-$init" \
    ${random[@]+"${random[@]}"} --output "$3" --set max_seq_length="${length[$1]}" --set train_batch_size=32 --set num_train_epochs=3 \
    --dev-share 0.1 --set dropout=0.1 --set gradient_accumulation_steps=4 --set precision=bfloat16 \
    --set doc_stride=64 "${@:4}" >/dev/null
}

# compare RATES RUNS CHOOSING MODELS...: of each model so many runs on $task. The rate is chosen once, for the models CHOOSING, with a seed
# that does not count; RATES is the folder of that.
compare() {
  local rate model
  for rate in 5.0e-5 1.0e-4 3.0e-4; do
    for model in $3; do finetune_on "$task" "$model" "$1/$rate-$model" --first-seed 99 --set learning_rate="$rate"; done
  done
  rate=$("$python" scripts/masking_tasks.py rate "$1")
  echo "$task, ${*:4}: rate $rate"
  for model in "${@:4}"; do
    finetune_on "$task" "$model" "$out/runs/$task/$model" --runs "$2" --set learning_rate="$rate"
  done
}

"$python" scripts/masking_tasks.py folders "$data" "$out/tasks"
for task in ocnli waimai chnsenticorp; do
  compare "$out/rates/$task" 5 "none macbert" none piece word ngram macbert
done
for task in xnli cmrc2018 drcd; do compare "$out/rates/$task" 3 "none macbert" none macbert; done
for task in ocnli chnsenticorp; do
  compare "$out/rates-electra/$task" 5 "electra_piece electra_ngram" electra_none electra_piece electra_ngram
done

say "4/4 results"
"$python" -m pretrain results --markdown "$out/runs" | tee "$out/results.md"
