-- pawpaw: expand
CREATE TABLE categories (
  slug text PRIMARY KEY CHECK (slug ~ '^[a-z0-9-]+$'),
  name text NOT NULL
);

CREATE TABLE products (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku text NOT NULL UNIQUE,
  name text NOT NULL,
  description text NOT NULL,
  category text NOT NULL REFERENCES categories (slug),
  price_cents integer NOT NULL CHECK (price_cents > 0),
  attributes jsonb NOT NULL DEFAULT '{}',
  -- Only pg_catalog functions: an expression that needs a search_path or an extension breaks at the restore of a dump.
  search_text text GENERATED ALWAYS AS (
    lower(regexp_replace(normalize(name || ' ' || description, NFD), '[\u0300-\u036F]', '', 'g'))
  ) STORED,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX products_category ON products (category);
CREATE INDEX products_attributes ON products USING gin (attributes jsonb_path_ops);

CREATE TABLE stock (
  product_id integer PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
  on_hand integer NOT NULL CHECK (on_hand >= 0),
  reserved integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  CHECK (reserved <= on_hand)
);
