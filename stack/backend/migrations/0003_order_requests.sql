-- pawpaw: expand
-- The exactly-once ledger. A key makes one order; a cart is ordered once, whatever the key.
CREATE TABLE order_requests (
  user_id uuid NOT NULL REFERENCES users (id),
  idempotency_key text NOT NULL,
  request_hash text NOT NULL,
  -- Deferred: the row is written before its order, so that a second request with the key waits before it does any work.
  order_id uuid NOT NULL UNIQUE REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED,
  cart_id uuid NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, idempotency_key)
);
