# `snakemake --cores all` or `snakemake --profile slurm all`, from the top of a clone.
include: "workflow/Snakefile"
