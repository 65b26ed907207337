# Test clips -> H.264 streams with their motion, for the runs whose method requires groups of pictures. Suites without one have no such
# job. Training clips are encoded by the loader, after sampling.
localrules:
    media,


rule media:
    input:
        [f"results/{plan.folder}/media.json" for plan in MEDIA.values()],


rule encode:
    # One data set's test clips at one size and sampling, by one motion method: whatever is trained on it. media.json is written last.
    input:
        index_of_media,
    output:
        media="results/media/{dataset}/{media_id}/media.json",
        clips="results/media/{dataset}/{media_id}/clips.parquet",
        examples="results/media/{dataset}/{media_id}/examples.json",
        shards=directory("results/media/{dataset}/{media_id}/shards"),
    log:
        "results/logs/encode/{dataset}-{media_id}.log",
    benchmark:
        "results/benchmarks/encode/{dataset}-{media_id}.tsv"
    threads: 4
    resources:
        **SITE.cpu(),
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    shell:
        "reproid media --media-id {wildcards.media_id} --workers {threads} > {log} 2>&1"
