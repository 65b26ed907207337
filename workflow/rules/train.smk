localrules:
    runs,


rule runs:
    # All that the suite of params.yaml trains and scores, without the pages. The metrics are named for the same reason as in `all`.
    input:
        suite_metrics(),
        "results/summary/metrics.json",
        [f"results/tables/{table.name}.json" for table in PLAN],


rule train:
    # One run. run.json repeats its settings, so that nothing downstream asks the catalog again. No params on purpose: the run id in
    # the path says all that could change the result. The checkpoint beside these files is declared by nothing: it need not be kept.
    # A training that is longer than its job goes back into the queue, and on from there, as often as it takes.
    input:
        index_of_run,
    output:
        run="results/runs/{dataset}/{run_id}/run.json",
        history="results/runs/{dataset}/{run_id}/history.csv",
        manifest="results/runs/{dataset}/{run_id}/manifest.json",
    log:
        "results/logs/train/{dataset}/{run_id}.log",
    benchmark:
        "results/benchmarks/train/{dataset}/{run_id}.tsv"
    group:
        group_of
    threads: lambda wildcards: SITE.gpus_per_run * threads_of(wildcards)
    resources:
        **SITE.training(),
        ranks=SITE.gpus_per_run,  # no param, which would train again
        mem_mb=needs(small=3000 * SITE.gpus_per_run, large=8000 * SITE.gpus_per_run),
        runtime=lambda wildcards, attempt: 30 * attempt if is_small(wildcards) else 1440,
    message:
        "Training {wildcards.run_id} on {wildcards.dataset}. Watch it with: tail -f {log}"
    shell:
        "reproid train --run-id {wildcards.run_id} --threads {threads} --ranks {resources.ranks} --requeue > {log} 2>&1"
