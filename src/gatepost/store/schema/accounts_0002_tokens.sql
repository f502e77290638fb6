-- Tokens of programs, and passkeys. Of a token only its sha256 is kept; domains and what it opens narrow what
-- its person may.

CREATE TABLE token (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  digest TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL REFERENCES person (name) ON DELETE CASCADE,
  label TEXT NOT NULL,
  rights TEXT NOT NULL,              -- look, change, admin
  domains TEXT NOT NULL,             -- with spaces between; '' is all of the person's
  made REAL NOT NULL,
  expires REAL,
  used REAL                          -- to the minute
);
CREATE INDEX token_name ON token (name);

CREATE TABLE passkey (
  id TEXT PRIMARY KEY,               -- the credential's, base64url
  name TEXT NOT NULL REFERENCES person (name) ON DELETE CASCADE,
  label TEXT NOT NULL,
  public_key BLOB NOT NULL,
  sign_count INTEGER NOT NULL,
  made REAL NOT NULL,
  used REAL
) WITHOUT ROWID;
CREATE INDEX passkey_name ON passkey (name);
