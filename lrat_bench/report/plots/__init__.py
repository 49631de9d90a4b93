"""Plots of reports and sweeps: matplotlib on demand, one figure a file, equal input to equal bytes."""
