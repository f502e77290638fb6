"""Log lines, metrics and the trace of a session. Free of asyncio, so that pure rooms may stay pure."""
