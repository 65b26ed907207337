"""Numbers to tables, figures and pages. Reads files only: no torch, no numpy, no pandas.

`build_table` and `table_json` make one table, `build_summary` the suite's numbers, `write_report` the pages.
"""
