# Raw data -> one index per data set. Real data are put in place by the user (their terms forbid more); synthetic data are rendered.
localrules:
    render,
    obtain,
    data,


rule data:
    input:
        sorted({str(index_of(run.dataset, run.data, Path()) / "splits.parquet") for run in RUNS.values()}),


rule render:
    # A synthetic data set, in the official layout of the real one it stands in for; other parameters are another folder. The marker is
    # written last.
    output:
        "data/synthetic/{dataset}/{digest}/synthetic.json",
    log:
        "results/logs/render/{dataset}-{digest}.log",
    benchmark:
        "results/benchmarks/render/{dataset}-{digest}.tsv"
    threads: 2
    resources:
        **SITE.cpu(),
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    shell:
        "reproid data synth --dataset {wildcards.dataset} --workers {threads} > {log} 2>&1"


rule index:
    # One row per tracklet, one per tracklet and role of every split.
    input:
        marker_of,
    output:
        tracklets="results/index/{dataset}/{digest}/tracklets.parquet",
        splits="results/index/{dataset}/{digest}/splits.parquet",
    log:
        "results/logs/index/{dataset}-{digest}.log",
    benchmark:
        "results/benchmarks/index/{dataset}-{digest}.tsv"
    resources:
        **SITE.cpu(),
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    shell:
        "reproid data index --dataset {wildcards.dataset} > {log} 2>&1"


rule obtain:
    # A real data set from its authors, where their terms allow it; otherwise the log says page, form and folder. Asked for by name alone:
    # snakemake --profile local data/raw/archives/ilids-vid/obtained.json
    output:
        "data/raw/archives/{dataset}/obtained.json",
    log:
        "results/logs/obtain/{dataset}.log",
    benchmark:
        "results/benchmarks/obtain/{dataset}.tsv"
    shell:
        "reproid data get --dataset {wildcards.dataset} --out {output} 2>&1 | tee {log}"
