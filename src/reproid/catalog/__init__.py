"""Papers, tables, experiments, suites and data sets: YAML to validated objects and run ids. No torch, no numpy."""
