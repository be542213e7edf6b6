#!/bin/bash
# From here on start-primary never starts over. The stamp is on disk before the note that asks for it is gone.
set -euo pipefail
touch "$PGDATA/pawpaw-initialised"
sync "$PGDATA/pawpaw-initialised" "$PGDATA"
rm -f "$(dirname "$PGDATA")/init-unfinished"
sync "$(dirname "$PGDATA")"
