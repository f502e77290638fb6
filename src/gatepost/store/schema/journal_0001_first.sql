-- What happened: one row a session, one row a recipient's outcome. The rows keep the workers' lines
-- as they came (JSON); taken out of them is only what is looked for, since each column and each
-- index costs half a microsecond of every mail. Two indexes: by id ("why was it refused?") and by
-- domain (each owner's journal). `seq` is the order of arrival and the cursor of readers.

CREATE TABLE session (
  seq INTEGER PRIMARY KEY,
  time REAL NOT NULL,
  id TEXT NOT NULL,
  line TEXT NOT NULL
);
CREATE INDEX session_id ON session (id);

-- trace '' is none; '=ID' says that the like refusal ID has it.
CREATE TABLE outcome (
  seq INTEGER PRIMARY KEY,
  time REAL NOT NULL,
  id TEXT NOT NULL,
  domain TEXT NOT NULL,
  line TEXT NOT NULL,
  trace TEXT NOT NULL
);
CREATE INDEX outcome_id ON outcome (id);
CREATE INDEX outcome_domain ON outcome (domain);

-- Counts by hour (seconds since 1970 / 3600), kept when the rows are gone.
CREATE TABLE tally (
  hour INTEGER NOT NULL,
  domain TEXT NOT NULL,
  fate TEXT NOT NULL,
  plugin TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (hour, domain, fate, plugin)
) WITHOUT ROWID;

-- How far each journal file of a worker was read (and the last stamp of time in it); written in
-- the same transaction as its rows.
CREATE TABLE source (
  file TEXT PRIMARY KEY,
  position INTEGER NOT NULL,
  stamp REAL NOT NULL
) WITHOUT ROWID;
