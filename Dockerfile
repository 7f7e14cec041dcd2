# Two stages: one that installs, one that runs. Pinned base, pinned packages, no root.
#   docker build -t perennial . && docker run --rm -v "$PWD:/project" perennial
#   docker run --rm perennial make test
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /project
COPY requirements.lock pyproject.toml README.md LICENSE Makefile ./
COPY src src
RUN apt-get update && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
RUN make setup PYTHON=python3.11

FROM python:3.11.14-slim-bookworm
# git: DVC and the record of a version; libgomp1: XGBoost; make: the two commands
RUN apt-get update && apt-get install --yes --no-install-recommends git libgomp1 make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 perennial \
    && install --directory --owner perennial /project
USER perennial
WORKDIR /project
# Prefect starts a flow run as `prefect flow-run execute`, the stages run `python`
ENV PATH=/project/.venv/bin:$PATH
COPY --from=build --chown=perennial /project/.venv .venv
COPY --chown=perennial . .
# the copied .venv is whole: newer timestamps of the sources must not set it up again
RUN touch .venv/ready && git config --global --add safe.directory /project
CMD ["make", "run"]
