-- What checks and people leave behind for good: per domain and check, in the backup.

CREATE TABLE record (
  domain TEXT NOT NULL,
  plugin TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (domain, plugin, key)
) WITHOUT ROWID;

-- How many of a counted thing are used, and which are held until a mail's fate is known.
CREATE TABLE used (
  domain TEXT NOT NULL,
  plugin TEXT NOT NULL,
  key TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (domain, plugin, key)
) WITHOUT ROWID;

CREATE TABLE held (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  domain TEXT NOT NULL,
  plugin TEXT NOT NULL,
  key TEXT NOT NULL,
  expires REAL NOT NULL
);
CREATE INDEX held_of ON held (domain, plugin, key);

-- How often a list entry decided, and when last. Not in the policy: a count is no change of it.
CREATE TABLE entry_use (
  entry INTEGER PRIMARY KEY,
  number INTEGER NOT NULL,
  last REAL NOT NULL
);
