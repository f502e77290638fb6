-- Mails that a check on watch would have refused, by hour; fate: what became of them instead.
-- Written by the collector in the transaction of their rows: the traces themselves may be folded,
-- and reading a week of them takes longer than anybody waits.

CREATE TABLE watched (
  hour INTEGER NOT NULL,
  domain TEXT NOT NULL,
  plugin TEXT NOT NULL,
  fate TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (hour, domain, plugin, fate)
) WITHOUT ROWID;
