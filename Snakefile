# `snakemake --cores all` or `snakemake --profile slurm all`, from the top of a clone.
include: "workflow/Snakefile"


localrules:
    all,


rule all:
    default_target: True
    input:
        "reports/index.html",
