-- People who may sign in, their sessions, and how often somebody guessed. Not in the policy: a session is
-- no change of it, and whoever follows the policy need not wake for one.

CREATE TABLE person (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  password TEXT NOT NULL,            -- argon2id, with its parameters
  language TEXT NOT NULL DEFAULT '',
  zone TEXT NOT NULL DEFAULT '',
  totp TEXT NOT NULL DEFAULT '',     -- the secret, base 32; '' is none
  totp_step INTEGER NOT NULL DEFAULT 0, -- the last step that was used: a code is good once
  recovery TEXT NOT NULL DEFAULT '', -- sha256 of codes that are left, with spaces between
  disabled INTEGER NOT NULL DEFAULT 0,
  created REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE given (
  name TEXT NOT NULL REFERENCES person (name) ON DELETE CASCADE,
  domain TEXT NOT NULL,
  PRIMARY KEY (name, domain)
) WITHOUT ROWID;

-- The id is the sha256 of the token that the browser holds: who reads this table cannot sign in with it.
CREATE TABLE session (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL REFERENCES person (name) ON DELETE CASCADE,
  since REAL NOT NULL,
  seen REAL NOT NULL,
  client TEXT NOT NULL,
  agent TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_name ON session (name);

-- Failed tries, by account and by the client's network: what the limits count.
CREATE TABLE failure (
  key TEXT NOT NULL,
  at REAL NOT NULL
);
CREATE INDEX failure_key ON failure (key, at);

-- Every try, for people.
CREATE TABLE login (
  id INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  name TEXT NOT NULL,
  client TEXT NOT NULL,
  outcome TEXT NOT NULL
);
CREATE INDEX login_name ON login (name, id);
