-- What may be lost: greylist, rates, reputation. `bucket` is the time divided by the window.

CREATE TABLE value (
  key TEXT PRIMARY KEY,
  value BLOB NOT NULL,
  expires REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE count (
  key TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  number INTEGER NOT NULL,
  expires REAL NOT NULL,
  PRIMARY KEY (key, bucket)
) WITHOUT ROWID;
