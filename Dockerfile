# The generator and the trainer, for CPUs or NVIDIA's GPUs:
#
#   docker build -t macbert .
#   docker build -t macbert-gpu --build-arg TRAINER=gpu .
#   docker run --rm -v "$PWD:/work" macbert data_gen build --config macbert_512 --input corpus.txt --output data
#   docker run --rm --gpus all -v "$PWD:/work" macbert-gpu pretrain train --config macbert_base --data data --output model
#
# CUDA comes with the packages of the extra `gpu`; the host needs the driver and NVIDIA's container toolkit alone.

# with a compiler, for data_gen/core/compiled.c
FROM python:3.11-bookworm AS build
WORKDIR /src
COPY setup.cfg setup.py pyproject.toml README.md LICENSE NOTICE ./
COPY configs configs
COPY data_gen data_gen
COPY pretrain pretrain
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.11-slim-bookworm
# train (CPU) or gpu: an extra of setup.cfg
ARG TRAINER=train
COPY --from=build /wheel /wheel
RUN pip install --no-cache-dir "$(echo /wheel/*.whl)[data,${TRAINER}]"
# Files of a mounted folder belong to the user of the host with this number: docker run --user "$(id -u)"
RUN useradd --create-home --uid 1000 macbert
USER 1000
WORKDIR /work
ENTRYPOINT ["python", "-m"]
CMD ["data_gen", "--help"]
