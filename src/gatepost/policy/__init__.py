"""Who wants what: settings, lists, precedence, decisions. Pure functions with tables of examples."""
