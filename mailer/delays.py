"""Delays: how late a campaign may start by itself."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from domain.campaigns import PAST_GRACE


class ScheduleSettings(BaseModel):
    """The section `[schedule]`."""

    model_config = ConfigDict(extra="forbid")

    max_late_hours: float = Field(default=6, ge=0, le=24 * 365)
    """A campaign found due so much later is not sent but asks; 0 = it always asks."""

    @property
    def max_late(self) -> timedelta:
        """How late a campaign may start by itself; a minute at least, which is no delay yet."""
        return max(timedelta(hours=self.max_late_hours), PAST_GRACE)
