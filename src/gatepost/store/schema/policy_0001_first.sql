-- Who wants what. A small file that people change by hand; every change has its row in `change`.

CREATE TABLE version (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  number INTEGER NOT NULL
);
INSERT INTO version VALUES (1, 0);

CREATE TABLE domain (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created REAL NOT NULL,
  created_by TEXT NOT NULL
);

-- domain '*' and local '' is all domains; local '' is the domain itself.
CREATE TABLE setting (
  domain TEXT NOT NULL,
  local TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (domain, local, key)
) WITHOUT ROWID;

CREATE TABLE entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  domain TEXT NOT NULL,
  local TEXT NOT NULL,
  plugin TEXT NOT NULL,
  kind TEXT NOT NULL,
  field TEXT NOT NULL,
  value TEXT NOT NULL,
  expires REAL,
  note TEXT NOT NULL,
  verified INTEGER NOT NULL,
  locked INTEGER NOT NULL,
  created REAL NOT NULL,
  created_by TEXT NOT NULL,
  UNIQUE (domain, local, plugin, kind, field, value)
);

-- A million rows: the domain by its number, no row number of their own. kind: 0 invalid, 1 valid.
CREATE TABLE recipient (
  domain INTEGER NOT NULL,
  local TEXT NOT NULL,
  kind INTEGER NOT NULL,
  acl TEXT,
  PRIMARY KEY (domain, local, kind)
) WITHOUT ROWID;

CREATE TABLE change (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  version INTEGER NOT NULL,
  time REAL NOT NULL,
  by TEXT NOT NULL,
  domain TEXT NOT NULL,
  local TEXT NOT NULL,
  what TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  undoes INTEGER,
  complete INTEGER NOT NULL
);
CREATE INDEX change_of ON change (domain, local, what);
CREATE INDEX change_at ON change (version);
