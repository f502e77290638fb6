-- What refused senders asked on their page: one request for each refusal.
CREATE TABLE review (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  domain TEXT NOT NULL,
  mail TEXT NOT NULL,
  recipient TEXT NOT NULL,
  sender TEXT NOT NULL,
  plugin TEXT NOT NULL,
  asked REAL NOT NULL,
  network TEXT NOT NULL,
  contact TEXT NOT NULL,
  text TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open',
  decided REAL,
  decided_by TEXT NOT NULL DEFAULT '',
  UNIQUE (domain, mail, recipient)
);
CREATE INDEX review_of ON review (state, domain, id);
CREATE INDEX review_asked ON review (domain, asked);
CREATE INDEX review_from ON review (network, asked);
