#!/usr/bin/env bash
# The wheel alone, in an empty environment outside the checkout, can list tasks and score a run.
# PYTHON: an interpreter with `build` and this package, which makes the run that is scored.
set -euo pipefail
checkout=$(cd "$(dirname "$0")/.." && pwd)
python=$(cd "$checkout" && "$PYTHON" -c 'import sys; print(sys.executable)')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LRAT_BENCH_CACHE="$work/cache"

"$python" -m build --wheel --outdir "$work/dist" "$checkout" >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
python3.11 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  --constraint "$checkout/constraints.txt" "$work"/dist/lrat_bench-*.whl

cd "$work"
"$python" -m lrat_bench.cli run --retriever oracle --limit 20 --out "$work/run" --json >made.json
"$work/venv/bin/lrat-bench" tasks list
"$work/venv/bin/lrat-bench" score "$work/run" --json >scored.json
"$work/venv/bin/python" - <<'CHECK'
import json

made, scored = (json.load(open(name))["scores"] for name in ("made.json", "scored.json"))
assert made == scored, "the wheel scores the run otherwise than the checkout did"
print("wheel: tasks list and score work in an empty environment; scores are equal")
CHECK
