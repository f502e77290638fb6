"""What holds for all tests: Hypothesis looks at what is true, and never at the clock."""

from hypothesis import HealthCheck, settings

# A deadline per example, or a bound on the time to make them up, fails on a busy machine and says nothing
# about our code: tests.cost measures what must be cheap. Elsewhere Hypothesis knows a CI server by itself.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
