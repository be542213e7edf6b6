#!/bin/bash
# Asks /healthz with nothing but bash: neither curl nor wget is in every image this is built on.
set -euo pipefail

exec 3<>/dev/tcp/127.0.0.1/8080
printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3
read -r -t 3 _ status _ <&3
[[ $status == 200 ]]
