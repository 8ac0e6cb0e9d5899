# An image of this clone, with nothing but Docker: docker build -t whisper-bento .
#
# The first stage makes a bento. `whisper-bento containerize`, which is given one, takes the stages
# after it: for them a bento is the context. The weights, the packages and the code have a layer
# each, in the order in which they change, so that a push sends what has changed. What builds them
# stays behind in stages of its own.
ARG BASE=python:3.11-slim

FROM $BASE AS bento
# Where packages are, if not on PyPI.
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ARG UV_INDEX
ARG UV_FIND_LINKS
ARG UV=uv==0.13.9
RUN pip install --no-cache-dir --root-user-action=ignore "$UV"
WORKDIR /clone
ENV VIRTUAL_ENV=/build PATH=/build/bin:$PATH BENTOML_DO_NOT_TRACK=True BENTOML_HOME=/home-of-bento
RUN uv venv --no-cache /build
COPY pyproject.toml ./
# PyTorch for CPUs, which all images are made with, if its index can be reached.
# Triton, which openai-whisper brings, is of use on GPUs alone.
RUN echo triton >excluded \
    && { uv pip install --no-cache --excludes=excluded --torch-backend=cpu -r pyproject.toml \
        || uv pip install --no-cache --excludes=excluded -r pyproject.toml; }
COPY service.py bentofile.yaml README.md LICENSE ./
COPY api api
COPY bulk bulk
COPY cli cli
COPY client client
COPY models models
COPY serving serving
ARG MODEL=base
# A file, a folder or a mirror that has the model, if OpenAI and Hugging Face cannot be reached.
ARG MODEL_FROM
ARG WHISPER_MODEL_MIRROR
# The model is kept from one build to the next.
RUN --mount=type=cache,target=/home-of-bento,sharing=locked \
    python -m cli import "$MODEL" --if-missing ${MODEL_FROM:+--from "$MODEL_FROM"}
# `all` for packages with CUDA, and for a container that asks NVIDIA's runtime for GPUs.
ARG GPU=
ARG REVISION=
# The base image's own platform; BentoML would lock for x86-64.
RUN --mount=type=cache,target=/home-of-bento,sharing=locked \
    device=$([ -z "$GPU" ] && echo cpu || echo cuda) \
    && python -m bentoml build --arg "model=$MODEL" --arg "device=$device" \
        --platform "$(uname -m)-manylinux_2_36" --label "revision=$REVISION" \
    && python -m cli containerize whisper:latest --lay-out /bento \
    && rm -r /home-of-bento/bentos

FROM $BASE AS packages
# Where packages are, if not on PyPI.
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ARG UV_INDEX
ARG UV_FIND_LINKS
ARG UV_TORCH_BACKEND
ARG UV=uv==0.13.9
RUN pip install --no-cache-dir --root-user-action=ignore "$UV"
RUN uv venv --no-cache /app/.venv
WORKDIR /locked
COPY --from=bento /bento/src/uv.toml /bento/env/python/requirements.txt ./
# Bytecode goes by its source's time if it is not told otherwise, and that changes on the way.
ENV VIRTUAL_ENV=/app/.venv PYC_INVALIDATION_MODE=UNCHECKED_HASH
RUN uv pip install --no-cache --compile-bytecode -r requirements.txt
# What packages bring for those who build or test them: an eighth of all.
RUN cd /app/.venv/lib/python3*/site-packages \
    && rm -rf torch/test torch/include \
    && find torch/bin -type f ! -name torch_shm_manager -delete \
    && find sympy -type d -name tests -prune -exec rm -r {} +
# The operator's command, from any folder: a bento installs its dependencies alone.
RUN printf '#!/bin/sh\nPYTHONPATH=/home/bentoml/bento/src exec python -m cli "$@"\n' \
    >/app/.venv/bin/whisper-bento && chmod 755 /app/.venv/bin/whisper-bento

FROM $BASE AS code
WORKDIR /home/bentoml/bento
COPY --from=bento /bento/bento.yaml /bento/README.md ./
COPY --from=bento /bento/src src
RUN python -m compileall -q --invalidation-mode unchecked-hash src

FROM $BASE AS weights
# A volume on BentoML's home is the user's, as the folder is.
RUN useradd --uid 1034 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin bentoml \
    && install -d -o bentoml -g bentoml /tmp/bentoml
COPY --from=bento /bento/models /home/bentoml/bento/models

FROM weights
COPY --from=packages /app/.venv /app/.venv
COPY --from=code /home/bentoml/bento /home/bentoml/bento
ARG WHISPER_HOST=0.0.0.0
ARG GPU=
# All that is written goes to /tmp.
ENV PATH=/app/.venv/bin:$PATH \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BENTOML_HOME=/tmp/bentoml \
    BENTOML_CONTAINERIZED=true \
    BENTOML_DO_NOT_TRACK=True \
    NVIDIA_VISIBLE_DEVICES=${GPU:-void} \
    NVIDIA_DRIVER_CAPABILITIES=${GPU:+compute,}utility \
    WHISPER_HOST=$WHISPER_HOST \
    WHISPER_PORT=8000
WORKDIR /home/bentoml/bento/src
EXPOSE 8000
USER 1034:1034
HEALTHCHECK --start-period=120s --interval=30s --timeout=10s --retries=3 CMD \
    ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"WHISPER_PORT\"]}/readyz', timeout=8)"]
CMD ["bentoml", "serve", "/home/bentoml/bento"]
