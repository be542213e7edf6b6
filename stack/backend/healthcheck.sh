#!/bin/bash
# Asks /health with nothing but bash: a Node.js started for each question is a whole runtime each time.
set -euo pipefail

exec 3<>"/dev/tcp/127.0.0.1/${PORT:-4000}"
printf 'GET /health HTTP/1.0\r\n\r\n' >&3
read -r -t 3 _ status _ <&3
[[ $status == 200 ]] || { echo "/health answered $status" >&2 && exit 1; }
