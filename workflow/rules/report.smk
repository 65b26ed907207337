# Numbers -> tables -> pages: seconds of work, on the machine that runs Snakemake.
localrules:
    table,
    summary,
    report,
    pages,


rule table:
    # One table of one paper: printed, own, difference, status.
    input:
        table_inputs,
    output:
        "results/tables/{paper}/{table}.json",
    log:
        "results/logs/table/{paper}/{table}.log",
    benchmark:
        "results/benchmarks/table/{paper}/{table}.tsv"
    shell:
        "reproid table {wildcards.paper}/{wildcards.table} --out {output} > {log} 2>&1"


rule summary:
    # The numbers of the suite, rebuilt from exactly the run ids that it names: what Git and DVC keep.
    input:
        suite_metrics(),
    output:
        metrics="results/summary/metrics.json",
        cmc="results/summary/cmc.csv",
        history="results/summary/history.csv",
    log:
        "results/logs/summary.log",
    benchmark:
        "results/benchmarks/summary.tsv"
    shell:
        "reproid summary --out {output.metrics} --plots results/summary > {log} 2>&1"


rule report:
    # Pages of what exists. Run failures do not stop it: see onerror.
    input:
        "results/summary/metrics.json",
        [f"results/tables/{table.name}.json" for table in PLAN],
    output:
        "reports/index.html",
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    shell:
        "reproid report --out reports > {log} 2>&1"


rule pages:
    # The same from whatever exists, whatever failed: it asks for no run.
    log:
        "results/logs/pages.log",
    shell:
        "reproid report --out reports --refresh > {log} 2>&1"


onerror:
    # keep-going ends without the rules behind a failed run; tables and report show the failure all the same.
    shell("reproid report --out reports --refresh")
