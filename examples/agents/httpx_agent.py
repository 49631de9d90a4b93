"""The smallest agent over plain HTTP: search the question, read what comes first, answer with its beginning.

lrat-bench run --agent "command:python examples/agents/httpx_agent.py"
"""

import os

import httpx


def main() -> None:
    """Work on the one question that this process was started for."""
    with httpx.Client(base_url=os.environ["LRAT_BENCH_URL"], timeout=600) as seat:
        question = seat.get("/").json()["question"]
        found = seat.post("/search", json={"query": question}).json()["results"]
        if not found:
            seat.post("/answer", json={"answer": None})
            return
        best = found[0]["docid"]
        title = seat.get(f"/document/{best}").json()["text"].splitlines()[0]
        answer = f"Explanation: it is the first document found [{best}].\nExact Answer: {title}\nConfidence: 10%"
        seat.post("/answer", json={"answer": answer})


if __name__ == "__main__":
    main()
