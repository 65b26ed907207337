from reproid.catalog.protocols import family_of


rule embed:
    # Descriptors of all query and gallery tracklets, and what the report draws of the same passes.
    input:
        index_of_run,
        media_of_run,
        run="results/runs/{dataset}/{run_id}/run.json",
        manifest="results/runs/{dataset}/{run_id}/manifest.json",
    output:
        embeddings="results/runs/{dataset}/{run_id}/embeddings/{sampling}.npz",
        figures="results/runs/{dataset}/{run_id}/figures/{sampling}.json",
    log:
        "results/logs/embed/{dataset}/{run_id}-{sampling}.log",
    benchmark:
        "results/benchmarks/embed/{dataset}/{run_id}-{sampling}.tsv"
    group:
        group_of
    threads: threads_of
    resources:
        **site_of(SITE.gpu()),
        mem_mb=needs(small=3000, large=8000),
        runtime=needs(small=30, large=240),
    shell:
        "reproid embed --run results/runs/{wildcards.dataset}/{wildcards.run_id} --out {output.embeddings} --figures {output.figures}"
        " --threads {threads} > {log} 2>&1"


rule evaluate:
    # One protocol on one run; what to look at beside the numbers, and the same embeddings under the other protocols of the family.
    # The protocols' revisions are the one parameter that evaluates again and trains nothing.
    input:
        embeddings_of,
    output:
        metrics="results/runs/{dataset}/{run_id}/metrics/{protocol}.json",
        queries="results/runs/{dataset}/{run_id}/metrics/{protocol}.queries.parquet",
        inspection="results/runs/{dataset}/{run_id}/inspection/{protocol}.json",
        family="results/runs/{dataset}/{run_id}/families/{protocol}.json",
    log:
        "results/logs/evaluate/{dataset}/{run_id}-{protocol}.log",
    benchmark:
        "results/benchmarks/evaluate/{dataset}/{run_id}-{protocol}.tsv"
    group:
        group_of
    resources:
        **site_of(SITE.cpu()),
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        revisions=lambda wildcards: [protocol.revision for protocol in family_of(wildcards.protocol)],
    shell:
        "reproid evaluate --embeddings {input} --protocol {wildcards.protocol} --out {output.metrics}"
        " --inspect {output.inspection} --family {output.family} > {log} 2>&1"
