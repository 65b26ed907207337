localrules:
    runs,
    retest,


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
    wildcard_constraints:
        run_id="[0-9a-f]{12}",  # runs that share a training are those of the rule retest
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


rule retest:
    # A run that differs from another one in options of the test alone shares its training: a record of its own, and copies of what
    # the training wrote. The weights stay where they are.
    input:
        history="results/runs/{dataset}/{training_id}/history.csv",
        manifest="results/runs/{dataset}/{training_id}/manifest.json",
    output:
        run="results/runs/{dataset}/{training_id}-{test_id}/run.json",
        history="results/runs/{dataset}/{training_id}-{test_id}/history.csv",
        manifest="results/runs/{dataset}/{training_id}-{test_id}/manifest.json",
    log:
        "results/logs/retest/{dataset}/{training_id}-{test_id}.log",
    benchmark:
        "results/benchmarks/retest/{dataset}/{training_id}-{test_id}.tsv"
    shell:
        "reproid retest --run-id {wildcards.training_id}-{wildcards.test_id} > {log} 2>&1"
