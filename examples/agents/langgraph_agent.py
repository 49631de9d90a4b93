r"""LangGraph by way of LangChain: its ready-made agent, with the tools of the benchmark over MCP.

pip install langchain langgraph langchain-mcp-adapters "langchain[openai]"

    lrat-bench run --agent "command:python examples/agents/langgraph_agent.py" \
        --set 'agent.env=[MODEL, OPENAI_API_KEY]' --set agent.answer=stdout
"""

import asyncio
import os

from langchain.agents import create_agent
from langchain_mcp_adapters.client import MultiServerMCPClient


async def main() -> None:
    """Work on the one question that this process was started for."""
    server = {"transport": "streamable_http", "url": os.environ["LRAT_BENCH_MCP_URL"]}
    tools = await MultiServerMCPClient({"lrat": server}).get_tools()
    agent = create_agent(os.environ.get("MODEL", "openai:gpt-4.1-mini"), tools)
    question = {"messages": [{"role": "user", "content": os.environ["LRAT_BENCH_PROMPT"]}]}
    done = await agent.ainvoke(question, {"recursion_limit": 100})
    print(done["messages"][-1].text)  # noqa: T201 -- this is the answer


if __name__ == "__main__":
    asyncio.run(main())
