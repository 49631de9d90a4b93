"""What agents do with what they retrieve: Section 4 of "Learning to Retrieve from Agent Trajectories" (SIGIR 2026).

Its Table 1 (`counts`), Figure 4a (`transitions`), Figure 4b (`evidence`), Figure 6 (`positions`), and the length of the
reasoning that follows a browse (`reasoning`), of any runs.
"""
