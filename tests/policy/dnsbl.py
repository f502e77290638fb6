"""What the policy would be told of a check `dnsbl` and of a gateway check; used by the tests here."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from gatepost.policy.policy import Action, Mode, OnFailure
from gatepost.policy.settings import PluginDefaults


class Settings(BaseModel):
    """Settings of the pretended check."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    zones: list[str] = []
    weight: float = 1.0


def _validate(values: dict[str, Any]) -> Settings:
    return Settings.model_validate(values)


DEFAULTS = {
    "dnsbl": PluginDefaults("dnsbl", Mode.ON, Action.REJECT, OnFailure.PASS, _validate, ("zones", "weight")),
    "client_rate": PluginDefaults(
        "client_rate", Mode.ON, Action.DEFER, OnFailure.PASS, _validate, ("weight",), "gateway"
    ),
}
