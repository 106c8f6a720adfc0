#!/usr/bin/env bash
# The whole suite, each part in an environment of its own below work/envs/, then lint and types.
#   1. everything, on the newest TensorFlow and the default Python
#   2. data_gen without TensorFlow
#   3. pretrain on Python 3.7 and TensorFlow 1.15, where there is a Python 3.7
#   4. LTP's neural models, and exports as transformers loads them, with NEURAL=1: torch brings gigabytes of CUDA on Linux
source "$(dirname "$0")/common.sh" || exit

envs=work/envs
mkdir -p "$envs"
rm -f "$envs/tf1.passed"

say "environments"
ensure_env "$envs/newest" "$(find_python 3.9)" data,parquet,vectors,s3,ray,sample,train,test,test-s3,test-browser,lint
ensure_env "$envs/data" "$(find_python 3.9)" data,parquet,sample,test
if python37=$(find_python 3.7 2>/dev/null); then
  ensure_env "$envs/tf1" "$python37" tf1,test
  python37=$PWD/$envs/tf1/bin/python
fi

if [ -n "${NEURAL:-}" ]; then
  ensure_env "$envs/neural" "$(find_python 3.9)" data,ltp-neural,train,test
fi

say "1/5 everything, $("$envs/newest/bin/python" -m pip list 2>/dev/null | grep -E '^tensorflow' | xargs)"
# With a second TensorFlow the two also read each other's checkpoints.
OTHER_PYTHON=$python37 "$envs/newest/bin/python" -m pytest -q

say "2/5 data_gen without TensorFlow"
if "$envs/data/bin/python" -c "import tensorflow" 2>/dev/null; then
  echo "the environment $envs/data has TensorFlow, so this part proves nothing: delete it" >&2
  exit 1
fi
"$envs/data/bin/python" -m pytest -q --doctest-modules data_gen tests/data_gen tests/test_architecture.py

if [ -n "$python37" ]; then
  say "3/5 pretrain on Python 3.7 and TensorFlow 1.15"
  "$python37" -m pytest -q tests/pretrain
  touch "$envs/tf1.passed"
else
  say "3/5 NOT RUN: pretrain on TensorFlow 1.15 needs a Python 3.7, and none was found (PYTHON=... names one)"
fi

if [ -n "${NEURAL:-}" ]; then
  say "4/5 LTP's neural models, and exports in transformers"
  "$envs/neural/bin/python" -m pytest -q tests/data_gen/segmentation/test_ltp_neural.py tests/data_gen/segmentation/test_ltp.py
  "$envs/neural/bin/python" -m pytest -q tests/pretrain/exchange/test_transformers*.py
else
  say "4/5 NOT RUN: LTP's neural models, and exports in transformers, which NEURAL=1 asks for"
fi

say "5/5 lint and types"
"$envs/newest/bin/python" -m ruff check .
"$envs/newest/bin/python" -m ruff format --check .
"$envs/newest/bin/python" -m mypy
