# The locked environment of ReproID; the package itself is the clone that it is run in. apptainer.def is the same for clusters.
#   docker build --tag reproid .
#   docker run --rm --gpus all --shm-size 8g --user "$(id -u):$(id -g)" --volume "$PWD:/work" reproid snakemake --profile local all
FROM python:3.11.13-slim-bookworm

RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*

# The CUDA build of torch runs on CPUs too. Both locks hold a hash for every file; pip takes nothing else.
COPY requirements.txt requirements-cuda.txt /opt/reproid/
RUN python -m pip install --no-cache-dir --no-deps --require-hashes -r /opt/reproid/requirements.txt
RUN python -m pip install --no-cache-dir --no-deps --require-hashes -r /opt/reproid/requirements-cuda.txt
RUN printf '#!/bin/sh\nexec python -m reproid "$@"\n' > /usr/local/bin/reproid && chmod 755 /usr/local/bin/reproid

ENV PYTHONPATH=/work/src LC_ALL=C.UTF-8 HOME=/tmp
WORKDIR /work
USER 1000
CMD ["reproid", "--help"]
