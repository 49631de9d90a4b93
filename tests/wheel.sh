#!/usr/bin/env bash
# The wheel alone, in an empty environment outside the checkout, can list tasks and score a run; with its extra
# `models` and nothing else, it plays one on a language model's server.
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
"$work/venv/bin/lrat-bench" reproduce lrat-table-2 >/dev/null
"$work/venv/bin/lrat-bench" score "$work/run" --json >scored.json
"$work/venv/bin/python" - <<'CHECK'
import json

made, scored = (json.load(open(name))["scores"] for name in ("made.json", "scored.json"))
assert made == scored, "the wheel scores the run otherwise than the checkout did"
print("wheel: tasks list and score work in an empty environment; scores are equal")
CHECK

python3.11 -m venv "$work/models"
"$work/models/bin/python" -m pip install --quiet --disable-pip-version-check \
  --constraint "$checkout/constraints.txt" "$(echo "$work"/dist/lrat_bench-*.whl)[models]"
# The server ends with its standard input.
mkfifo "$work/alive"
"$python" "$checkout/tests/support/endpoint.py" --brain heuristic <"$work/alive" >"$work/address" &
exec 3>"$work/alive"
for _ in $(seq 100); do [ -s "$work/address" ] && break || sleep 0.1; done
"$work/models/bin/lrat-bench" run --retriever oracle --limit 20 --agent hosted_vllm/local \
  --set "agent.api_base=$(cat "$work/address")" --out "$work/over-http" --json >over-http.json
exec 3>&-
"$work/venv/bin/python" - <<'CHECK'
import json

made, over = (json.load(open(name))["scores"]["outcomes"] for name in ("made.json", "over-http.json"))
assert made == over, "a run on a model's server ends otherwise than one in process"
print("wheel: the extra `models` plays a run; outcomes are equal")
CHECK
