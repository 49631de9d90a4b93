#!/bin/sh
# Codex (written for 0.147) over MCP, with a configuration of its own. It keeps a shell of its own, which can read files:
# its runs are a custom scaffold, as the manifest says, unless they are confined.
#
#   lrat-bench run --agent "command:sh examples/agents/codex.sh" \
#       --set 'agent.env=[CODEX_API_KEY, CODEX_MODEL]' --set agent.answer=stdout \
#       --set agent.version="$(codex --version)"
set -eu
export CODEX_HOME="$HOME/.codex"
mkdir -p "$CODEX_HOME"
cat > "$CODEX_HOME/config.toml" <<CONFIG
web_search = "disabled"

[mcp_servers.lrat]
url = "$LRAT_BENCH_MCP_URL"
required = true
startup_timeout_sec = 60
tool_timeout_sec = 600
CONFIG
exec codex exec --skip-git-repo-check --sandbox read-only ${CODEX_MODEL:+--model "$CODEX_MODEL"} "$LRAT_BENCH_PROMPT"
