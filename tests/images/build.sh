#!/usr/bin/env bash
# Makes the stand-ins of the official images where no registry can be reached: a Debian base by debootstrap, then every folder
# beside this file on top of it. What is there and unchanged is taken from the engine's cache. Needs root, debootstrap, Docker.
set -euo pipefail
cd "$(dirname "$0")"

base=pawpaw-offline/base:bookworm
if ! docker image inspect "$base" >/dev/null 2>&1; then
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  debootstrap --variant=minbase bookworm "$root" >/dev/null
  # Behind a proxy that inspects TLS a build trusts what this host trusts. The name is our own: the system's bundle is rewritten
  # whenever ca-certificates is installed.
  install -D -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/usr/local/share/pawpaw/host-ca.pem"
  ca=/usr/local/share/pawpaw/host-ca.pem
  tar -C "$root" -c . | docker import --change "ENV NODE_EXTRA_CA_CERTS=$ca PIP_CERT=$ca SSL_CERT_FILE=$ca" \
    --change 'LABEL pawpaw.offline=base' - "$base" >/dev/null
fi

tag() {
  case $1 in
  nginx) echo 1.31 ;;
  postgres) echo 15 ;;
  redis) echo 7 ;;
  node) echo 22 ;;
  *) echo latest ;;
  esac
}
for folder in */; do
  name=${folder%/}
  echo "image pawpaw-offline/$name:$(tag "$name")"
  DOCKER_BUILDKIT=0 docker build --quiet --build-arg "BASE=$base" --label pawpaw.offline="$name" \
    --tag "pawpaw-offline/$name:$(tag "$name")" "$folder" 2>&1 >/dev/null | grep -v -i -e deprecated -e buildx -e buildkit -e environment-variable -e '^ *$' >&2 || true
  docker image inspect "pawpaw-offline/$name:$(tag "$name")" >/dev/null
done
