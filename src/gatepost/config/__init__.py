"""What a machine must know before the store opens: one TOML file, the environment, the defaults.

Policy is not here: it lies in the store. Nothing in the lower rooms can import this room; values
arrive there as arguments. No pydantic: reading the configuration is on the way of every command, and
has to take milliseconds.
"""

from gatepost.config.checks import check
from gatepost.config.keys import Config, Row
from gatepost.config.loading import SEARCH, find, load
from gatepost.config.problems import ConfigError, Problem

__all__ = ["SEARCH", "Config", "ConfigError", "Problem", "Row", "check", "find", "load"]
