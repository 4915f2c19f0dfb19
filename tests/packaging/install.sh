#!/usr/bin/env bash
# install.sh ARCHIVE: a wheel or source archive works in an empty environment, away from the checkout.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
archive=$(realpath "$1")
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
unset PYTHONPATH
"${PYTHON:-python3}" -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check "$archive" mypy pandas-stubs
cp "$here/typed.py" "$here/small.toml" "$room"
cd "$room"
PATH="$room/venv/bin:$PATH"
python -c "import spikesim; assert 'site-packages' in spikesim.__file__, spikesim.__file__"
spikesim --version
spikesim --help >help.txt
spikesim verify --help >>help.txt
spikesim predict --shape 64x128 --spike 8 --sigma 1 --window 20 >predicted.txt
spikesim run small.toml --out results
spikesim status results
python typed.py
mypy --strict typed.py
status=0
spikesim reproduce 2>error.txt || status=$?
cat error.txt
[ "$status" -eq 2 ] && [ "$(wc -l <error.txt)" -eq 1 ] && grep -q "experiments='experiments'" error.txt
echo "$(basename "$archive"): installed and works"
