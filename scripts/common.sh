# shellcheck shell=bash
# Shared by the scripts, which source it first: the first error ends them, and they work in the root of the repository.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# head_of_script: the comment that a script begins with, which says how it is used.
head_of_script() { sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "scripts/${0##*/}"; }

case ${1:-} in
  -h | --help)
    head_of_script
    exit 0
    ;;
  -*)
    echo "there is no option $1:" >&2
    head_of_script >&2
    exit 2
    ;;
esac

# usage LINES: print these lines of the script's head, and end as wrong usage.
usage() {
  sed -n "$1p" "scripts/${0##*/}" | cut -c3- >&2
  exit 2
}

say() { printf '\n== %s\n' "$*"; }

# find_python VERSION: an interpreter of at least 3.9, or of exactly the version asked for where it is older.
find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 "python$1" python3.{13,12,11,10} "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
    if "$candidate" -c "
import sys
asked = tuple(map(int, '$1'.split('.')))
sys.exit(not (sys.version_info[:2] == asked or sys.version_info[:2] > asked >= (3, 9)))" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "no Python $1 (or newer, from 3.9 on) found: install it, or name one with PYTHON=..." >&2
  return 1
}

# ensure_env FOLDER PYTHON EXTRAS: a virtual environment with this project, installed anew only when
# what is installed has changed; what else is in it stays.
ensure_env() {
  if [ "$(cat "$1/.stamp" 2>/dev/null)" != "$(stamp "$3")" ]; then
    "$2" -m venv "$1"
    pip_install "$1" --upgrade pip
    pip_install "$1" --editable ".[$3]"
    stamp "$3" >"$1/.stamp"
  fi
}

# stamp EXTRAS: what an environment with these is installed from.
stamp() { echo "$1 $(cksum setup.cfg setup.py pyproject.toml data_gen/core/compiled.c)"; }

# pip_install FOLDER ARGUMENTS...: quiet, but for errors.
pip_install() { PYTHONWARNINGS=ignore "$1/bin/python" -m pip install -qq --disable-pip-version-check "${@:2}"; }

# sets KEY=VALUE...: `options` becomes `--set KEY=VALUE ...`, those of SETS behind them.
sets() {
  local setting
  options=()
  # shellcheck disable=SC2086 # words, on purpose
  for setting in "$@" ${SETS:-}; do options+=(--set "$setting"); done
}

# build_data PYTHON CONFIG FOLDER TEXT HELDOUT: records to train on in FOLDER/data, and to evaluate on in FOLDER/data-heldout. Where the
# first build makes a table of similar words, the second takes it. The segmenter is FOLDER/ltp, fetched where it is not there.
build_data() {
  local build=("$1" -m data_gen build --config "$2" --set segmenter.model="$3/ltp") table=$3/data/synonyms.safetensors
  [ -e "$3/ltp/source.txt" ] || "$1" -m data_gen segmenter fetch --output "$3/ltp"
  "${build[@]}" --input "$4" --output "$3/data"
  [ -e "$table" ] || table=
  "${build[@]}" --input "$5" --output "$3/data-heldout" --set dupe_factor=1 ${table:+--set synonyms.table="$table"}
}
