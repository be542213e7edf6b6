#!/bin/bash
# Where the passwords are given to this container the roles are made with the cluster; otherwise by `make-roles`, run elsewhere.
set -euo pipefail
[ -z "${DB_PASSWORD:-}" ] || make-roles
