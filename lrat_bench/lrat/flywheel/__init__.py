"""The data flywheel: agents search, their trajectories train the retriever, and agents search with that one.

"Learning to Retrieve from Agent Trajectories" (SIGIR 2026), Section 5 and Figure 9.
"""
