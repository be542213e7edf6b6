#!/usr/bin/env bash
# Makes the stand-ins of the official images where no registry can be reached: a Debian base by debootstrap, then every folder
# beside this file on top of it. What is there and unchanged is taken from the engine's cache. Needs root, debootstrap, Docker.
set -euo pipefail
cd "$(dirname "$0")"

root= log=$(mktemp)
trap 'rm -rf "$root" "$log"' EXIT
base=pawpaw-offline/base:bookworm
if ! docker image inspect "$base" >/dev/null 2>&1; then
  root=$(mktemp -d)
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
  nginx) echo 1.30 ;;
  postgres) echo 15 ;;
  redis) echo 7 ;;
  node) echo 22 ;;
  *) echo latest ;;
  esac
}
for folder in */; do
  name=${folder%/}
  echo "image pawpaw-offline/$name:$(tag "$name")"
  # The engine's own builder is there everywhere; its complaint that it is an old one is shown only with a failure.
  DOCKER_BUILDKIT=0 docker build --quiet --build-arg "BASE=$base" --label pawpaw.offline="$name" \
    --tag "pawpaw-offline/$name:$(tag "$name")" "$folder" >/dev/null 2>"$log" || { cat "$log" >&2 && exit 1; }
done
