rule embed:
    # Descriptors of all query and gallery tracklets.
    input:
        index_of_run,
        run="results/runs/{dataset}/{run_id}/run.json",
        manifest="results/runs/{dataset}/{run_id}/manifest.json",
    output:
        "results/runs/{dataset}/{run_id}/embeddings/{sampling}.npz",
    log:
        "results/logs/embed/{dataset}/{run_id}-{sampling}.log",
    benchmark:
        "results/benchmarks/embed/{dataset}/{run_id}-{sampling}.tsv"
    threads: 4
    resources:
        **SITE.gpu(),
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=240,
    shell:
        "reproid embed --run results/runs/{wildcards.dataset}/{wildcards.run_id} --out {output} --threads {threads} > {log} 2>&1"


rule evaluate:
    # One protocol on one run. The protocol's revision is the one parameter that evaluates again and trains nothing.
    input:
        embeddings_of,
    output:
        metrics="results/runs/{dataset}/{run_id}/metrics/{protocol}.json",
        queries="results/runs/{dataset}/{run_id}/metrics/{protocol}.queries.parquet",
    log:
        "results/logs/evaluate/{dataset}/{run_id}-{protocol}.log",
    benchmark:
        "results/benchmarks/evaluate/{dataset}/{run_id}-{protocol}.tsv"
    resources:
        **SITE.cpu(),
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=30,
    params:
        revision=lambda wildcards: get_protocol(wildcards.protocol).revision,
    shell:
        "reproid evaluate --embeddings {input} --protocol {wildcards.protocol} --out {output.metrics} > {log} 2>&1"
