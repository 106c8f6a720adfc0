# Shared by the scripts; sourced from the root of the repository.

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
# setup.cfg has changed; what else is in it stays.
ensure_env() {
  local stamp="$3 $(cksum setup.cfg pyproject.toml)"
  if [ "$(cat "$1/.stamp" 2>/dev/null)" != "$stamp" ]; then
    "$2" -m venv "$1"
    pip_install "$1" --upgrade pip
    pip_install "$1" --editable ".[$3]"
    echo "$stamp" >"$1/.stamp"
  fi
}

# pip_install FOLDER ARGUMENTS...: quiet, but for errors.
pip_install() { PYTHONWARNINGS=ignore "$1/bin/python" -m pip install -qq --disable-pip-version-check "${@:2}"; }

# quietly COMMAND...: without the two lines that TensorFlow prints at every start whatever the log level.
quietly() { "$@" 2> >(grep --line-buffered -v -E 'absl::InitializeLog|oneDNN custom operations' >&2); }

# sets KEY=VALUE...: the words `--set KEY=VALUE ...`.
sets() { [ $# -eq 0 ] || printf -- '--set %s ' "$@"; }

# build_macbert_data PYTHON FOLDER TEXT HELDOUT: similar words, records to train on and records to evaluate on, each made once.
build_macbert_data() {
  local config=configs/data/macbert_512.yaml
  [ -e "$2/ltp/source.txt" ] || "$1" -m data_gen segmenter fetch --output "$2/ltp"
  [ -e "$2/synonyms.npz" ] || "$1" -m data_gen synonyms build --config $config --output "$2/synonyms.npz"
  local settings
  settings=$(sets segmenter.model="$2/ltp" synonyms.table="$2/synonyms.npz")
  "$1" -m data_gen build --config $config --input "$3" --output "$2/data" $settings
  "$1" -m data_gen build --config $config --input "$4" --output "$2/data-heldout" $settings --set dupe_factor=1
}
