"""`python -m lrat_bench.cli`."""

from lrat_bench.cli.main import main

main()
