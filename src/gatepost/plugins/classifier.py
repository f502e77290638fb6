"""Give points by what a domain's own people taught about mail like this."""

from __future__ import annotations

from pydantic import Field, model_validator

from gatepost.plugin import AddHeader, Context, Cost, Plugin, PluginSettings, Score, Verdict
from gatepost.plugin.learning import Opinion, opinion, read

HEADER = "X-Gatepost-Classifier"


class Settings(PluginSettings):
    """From which log-odds how many points: +3 is spam in 95 of 100 cases, -3 is wanted in as many."""

    spam_at: float = Field(default=3.0, ge=0, le=12)
    """Log-odds from which it is called spam: about one wanted mail in a thousand comes so far."""
    spam: float = Field(default=5.0, ge=0, le=100)
    """Points for it."""
    likely_at: float = Field(default=1.0, ge=0, le=12)
    """Log-odds from which it looks like spam."""
    likely: float = Field(default=2.0, ge=0, le=100)
    """Points for that."""
    wanted_at: float = Field(default=-3.0, ge=-12, le=0)
    """Log-odds from which downwards it is called wanted."""
    wanted: float = Field(default=-1.0, ge=-100, le=0)
    """Points for it; they stand against those of other checks."""
    least: int = Field(default=30, ge=1, le=10_000)
    """Messages of each kind that the domain must have taught before there are points."""
    header: bool = True
    """Write what it thought into the mail (`X-Gatepost-Classifier`)."""

    @model_validator(mode="after")
    def _in_order(self) -> Settings:
        if self.likely_at > self.spam_at:
            raise ValueError("likely_at must not be above spam_at")
        return self


class Classifier(Plugin):
    """Learn from a domain's own people which mail they want, and give points for mail like it.

    Every domain gets other mail and wants other mail, so each has a model of its own that starts empty
    (or leans on a shared base) and learns online: from "spam" and "not spam" in the console, from
    `gatepost learn`, from mail sent to `spam@train.DOMAIN`. It looks at words with where they stood, and
    at the raw bytes, and each score is shown with what made it. It errs with mail unlike all that it was
    taught, and says so: near 0 it is unsure and gives no points. Until the domain has taught `least`
    messages of each kind it only writes down what it would say. It never learns from its own verdict.
    """

    settings = Settings
    cost = Cost.CPU
    timeout = 10.0
    public = "Message looks like spam"

    async def message(self, ctx: Context[Settings]) -> Verdict | tuple[Verdict, ...] | None:
        await read(ctx)
        found = opinion(ctx)
        settings = ctx.settings
        short = min(found.spam, found.ham) < settings.least
        points = 0.0 if short else _points(settings, found.total)
        reason = found.text
        if short:
            so_far = f"{found.spam} spam and {found.ham} wanted of {settings.least} each"
            reason = f"still learning ({so_far}): {reason}"
        score = Score(points, reason[:900])
        return (score, AddHeader(HEADER, _in_mail(found, short=short))) if settings.header else score


def _points(settings: Settings, total: float) -> float:
    if total >= settings.spam_at:
        return settings.spam
    if total >= settings.likely_at:
        return settings.likely
    return settings.wanted if total <= settings.wanted_at else 0.0


def _in_mail(found: Opinion, *, short: bool) -> str:
    side = "spam" if found.total > 1 else "wanted" if found.total < -1 else "unsure"
    learnt = f"learnt={found.spam}/{found.ham}"
    return f"{side}; log-odds={found.total:+.2f}; {learnt}" + ("; learning" if short else "")
