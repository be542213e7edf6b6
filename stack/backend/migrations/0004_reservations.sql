-- pawpaw: expand
CREATE TABLE reservations (
  owner text NOT NULL,
  product_id integer NOT NULL REFERENCES stock (product_id) ON DELETE CASCADE,
  quantity integer NOT NULL CHECK (quantity > 0),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (owner, product_id)
);

CREATE INDEX reservations_due ON reservations (expires_at);
