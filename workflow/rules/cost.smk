rule cost:
    # What a method costs at its paper's own size, whatever the suite trains. Neither data nor weights are needed: the id says all.
    output:
        "results/cost/{cost_id}.json",
    log:
        "results/logs/cost/{cost_id}.log",
    benchmark:
        "results/benchmarks/cost/{cost_id}.tsv"
    threads: 4
    resources:
        **SITE.gpu(),
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    shell:
        "reproid cost --cost-id {wildcards.cost_id} --out {output} --threads {threads} > {log} 2>&1"
