-- pawpaw: expand
CREATE TABLE singleton_jobs (
  name text PRIMARY KEY,
  last_run_at timestamptz NOT NULL,
  runs bigint NOT NULL
);
