"""What others wrote: their records become trajectories and run folders, and runs become what their tools read."""
