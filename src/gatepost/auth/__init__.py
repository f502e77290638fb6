"""Who really sent it: SPF, DKIM, ARC and DMARC, each a typed fact with its explanation."""
