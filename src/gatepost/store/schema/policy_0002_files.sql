-- What stands in the policy because a tree of files says so, and what a person had there before.
-- what "kept" is a name that the tree has and this program has no use for: it is there for the next export.

CREATE TABLE from_file (
  domain TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  before TEXT,
  PRIMARY KEY (domain, key)
) WITHOUT ROWID;
