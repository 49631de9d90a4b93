"""LRAT: learning to retrieve from agent trajectories. Mine pairs, filter and weigh them, train, and turn the flywheel.

The recipe is that of "Learning to Retrieve from Agent Trajectories" (SIGIR 2026), Section 5.
"""
