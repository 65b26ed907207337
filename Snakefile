# `snakemake --cores all` or `snakemake --profile slurm all`, from the top of a clone.
include: "workflow/Snakefile"


localrules:
    all,


rule all:
    # The metrics too: after a failure there are pages without them, and the same command must try the failed runs again.
    default_target: True
    input:
        "reports/index.html",
        suite_metrics(),
