#!/usr/bin/env bash
# Wheel and sdist of the commit into dist/: built twice and compared, then the wheel alone is tried
# in a fresh environment, away from the checkout. `make dist` and the release workflow run this.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"  # times in the archives
export SOURCE_DATE_EPOCH
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
pip=(-m pip --disable-pip-version-check install -qq)

"${PYTHON:-python3}" -m venv "$scratch/build"
"$scratch/build/bin/python" "${pip[@]}" -c requirements/cpu.lock build hatchling
for go in once again; do
  mkdir "$scratch/$go-tree"
  git archive HEAD | tar -x -C "$scratch/$go-tree"
  "$scratch/build/bin/python" -m build --no-isolation --outdir "$scratch/$go" "$scratch/$go-tree" \
    > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
done
(cd "$scratch/once" && sha256sum -- *) > "$scratch/SHA256SUMS"
(cd "$scratch/again" && sha256sum --quiet -c ../SHA256SUMS)
echo "Built twice, the same bytes (SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH):"
mkdir -p dist
cp "$scratch"/once/* "$scratch/SHA256SUMS" dist/
du -b "$scratch"/once/* | sed "s|$scratch/once/||"
cat dist/SHA256SUMS

# What the locks pin was tried together; the rest is as pip resolves it, as a user would get it.
"${PYTHON:-python3}" -m venv "$scratch/fresh"
"$scratch/fresh/bin/python" "${pip[@]}" "$scratch"/once/*.whl
mkdir "$scratch/away"
cd "$scratch/away"
PATH="$scratch/fresh/bin:$PATH"
unset PYTHONPATH
say() { printf '%s\n' "$*" >> verdicts.jsonl; }
for problem in a b c d; do
  say "{\"model\": \"base\", \"problem_id\": \"$problem\", \"output\": \"so it is 4\", \"answer\": \"4\"}"
  say "{\"model\": \"rl\", \"problem_id\": \"$problem\", \"output\": \"so it is 5\", \"answer\": \"4\"}"
done
vlm-boundary --help > /dev/null
vlm-boundary --version
vlm-boundary grade verdicts.jsonl --output graded.jsonl
vlm-boundary passk graded.jsonl --base base --rl rl
vlm-boundary benchmarks list > /dev/null
python -c 'import vlm_boundary as vb; assert vb.grade("The answer is 0.75.", "3/4").correct'
vlm-boundary doctor > doctor.txt && code=0 || code=$?
grep 'engine: none' doctor.txt
test "$code" = 1  # no engine can run, which is what it says with its exit code

# The core's tests, beside what they read of the repository but away from the package's checkout.
"$scratch/fresh/bin/python" "${pip[@]}" -c "$root/requirements/dev.lock" \
  pytest pytest-xdist hypothesis jsonschema psutil scorio
git -C "$root" archive HEAD tests docs configs examples benchmarks pyproject.toml README.md | tar -x
python -c 'import vlm_boundary as v; assert "site-packages" in v.__file__, v.__file__'
python -m pytest -q -m "not engine and not long" -n 2 --dist loadfile \
  tests/analysis tests/mathtext tests/records tests/store tests/verifier \
  tests/test_mistakes.py tests/test_settings.py
echo "The wheel alone does what it should, and passes the core's tests."
