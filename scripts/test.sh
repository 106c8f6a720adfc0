#!/usr/bin/env bash
# The whole suite, each part in an environment of its own below work/envs/, then lint and types; at the end, what did not run and why.
#
#   bash scripts/test.sh
#
#   1. pretrain and what concerns both packages, on the newest TensorFlow and the default Python
#   2. data_gen, where there is no TensorFlow; pages in a browser where there is a Chromium, here as in 1
#   3. pretrain on Python 3.7 and TensorFlow 1.15, where there is a Python 3.7
#   4. LTP's neural models, and exports as transformers loads them, where torch can be installed: NEURAL=0 leaves it out. On Linux the
#      torch of PyPI brings gigabytes of CUDA along; PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu finds one without.
#   5. lint and types
#
# STRICT=1, as .ci/run: an error where a test was skipped that this machine could have run.
source "$(dirname "$0")/common.sh" || exit

[ $# -eq 0 ] || usage 4
envs=work/envs reports=work/reports
mkdir -p "$envs"
rm -rf "$reports"
mkdir -p "$reports"
left_out=() excuses=()

# tests PART PYTHON ARGUMENTS...: run pytest and keep its report.
tests() { "$2" -m pytest -q --junitxml="$reports/$1.xml" "${@:3}"; }

say "environments"
ensure_env "$envs/newest" "$(find_python 3.9)" data,parquet,sample,train,test,test-browser,lint
ensure_env "$envs/data" "$(find_python 3.9)" data,parquet,vectors,s3,ray,sample,test,test-s3,test-browser
if python37=$(find_python 3.7 2>/dev/null); then
  ensure_env "$envs/tf1" "$python37" tf1,test
  python37=$PWD/$envs/tf1/bin/python
else
  left_out+=("pretrain on TensorFlow 1.15: needs a Python 3.7, and none was found (PYTHON=... names one)")
  excuses+=(--excuse "OTHER_PYTHON names no" --excuse "is about TensorFlow 1.15")
fi
if ! command -v cc >/dev/null; then
  left_out+=("the compiled loops of the generator: there is no C compiler")
  excuses+=(--excuse "compiled.c was not compiled here")
fi
neural=
if [ "${NEURAL:-1}" = 0 ]; then
  left_out+=("LTP's neural models, exports in transformers: NEURAL=0")
elif (ensure_env "$envs/neural" "$(find_python 3.9)" data,ltp-neural,train,test,test-neural) 2>"$reports/neural.log"; then
  neural=$envs/neural/bin/python
else
  left_out+=("LTP's neural models, exports in transformers: torch cannot be installed here ($(tail -1 "$reports/neural.log"))")
fi
if [ -z "$neural" ]; then
  for package in torch transformers ltp.nerual; do excuses+=(--excuse "could not import '$package'"); done
fi

say "1/5 pretrain, package, campaigns, $("$envs/newest/bin/python" -m pip list 2>/dev/null | grep -E '^tensorflow' | xargs)"
# With a second TensorFlow the two also read each other's checkpoints. A file stays in one process, with what its tests share.
OTHER_PYTHON=$python37 tests 1 "$envs/newest/bin/python" -n auto --dist loadfile --ignore tests/data_gen

say "2/5 data_gen without TensorFlow"
if "$envs/data/bin/python" -c "import tensorflow" 2>/dev/null; then
  echo "the environment $envs/data has TensorFlow, so this part proves nothing: delete it" >&2
  exit 1
fi
tests 2 "$envs/data/bin/python" -n auto --dist loadfile --doctest-modules data_gen tests/data_gen tests/package/test_extras.py

if [ -n "$python37" ]; then
  say "3/5 pretrain on Python 3.7 and TensorFlow 1.15"
  tests 3 "$python37" -n auto --dist loadfile tests/pretrain
fi

if [ -n "$neural" ]; then
  say "4/5 LTP's neural models, and exports in transformers"
  tests 4 "$neural" tests/data_gen/segmentation/test_ltp_neural.py tests/data_gen/segmentation/test_ltp.py \
    tests/pretrain/exchange/test_transformers*.py tests/pretrain/exchange/test_electra*.py tests/package/test_transformers_masking.py
fi

say "5/5 lint and types"
"$envs/newest/bin/python" -m ruff check .
"$envs/newest/bin/python" -m ruff format --check .
"$envs/newest/bin/python" -m mypy

say "what did not run"
[ ${#left_out[@]} -eq 0 ] || printf '%s\n' "${left_out[@]}"
"$envs/newest/bin/python" scripts/skipped.py ${STRICT:+--strict} ${excuses[@]+"${excuses[@]}"} "$reports"/*.xml
