#!/bin/sh
# Claude Code (written for 2.1) over MCP: its own tools are off, and no configuration of yours is read.
#
#   lrat-bench run --agent "command:sh examples/agents/claude_code.sh" \
#       --set 'agent.env=[ANTHROPIC_API_KEY, CLAUDE_MODEL]' --set agent.answer=stdout \
#       --set agent.version="$(claude --version)"
set -eu
export CLAUDE_CONFIG_DIR="$HOME/.claude" CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1
printf '{"mcpServers": {"lrat": {"type": "http", "url": "%s"}}}' "$LRAT_BENCH_MCP_URL" > mcp.json
# --tools "" takes the built-in tools away; --strict-mcp-config every other server.
exec claude -p "$LRAT_BENCH_PROMPT" --mcp-config mcp.json --strict-mcp-config --tools "" \
    --allowedTools "mcp__lrat__search,mcp__lrat__get_document" ${CLAUDE_MODEL:+--model "$CLAUDE_MODEL"}
