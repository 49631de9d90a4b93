"""The gate: a baseline that lies in git, rules of what may not fall, and a run held against them."""
