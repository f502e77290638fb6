"""The API keeps what its document says, whatever it is sent (schemathesis), and is never at fault."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.console.house import House

# A message is bytes like any others, also odd ones.
schemathesis.serializer.alias("message/rfc822", "application/octet-stream")

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EACH = 12
"""Requests of each route: all of them take some 20 seconds."""


BOUNDS = settings(
    max_examples=EACH,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(600)
def test_keeps_its_word(house: House) -> None:
    """No fault of ours, no answer that the document does not name, none of another form."""
    document = schemathesis.openapi.from_asgi("/api/openapi.json", house.app)
    failed: list[str] = []
    routes = 0
    answers: Counter[int] = Counter()

    def ask(operation: Any) -> None:
        @BOUNDS
        @given(case=operation.as_strategy())
        def run(case: Any) -> None:
            if "domain" in case.path_parameters:
                case.path_parameters["domain"] = "ann.example"
            house.faults.clear()
            answer = case.call_and_validate(headers={"authorization": "Bearer program-root"}, checks=CHECKS)
            answers[answer.status_code // 100] += 1
            assert [] == house.faults

        run()

    found: list[Any] = [cast("Any", result).ok() for result in document.get_all_operations()]
    # The domain is removed last: else all the others would meet nothing.
    for operation in sorted(found, key=lambda one: (one.method == "delete", "{domain}" not in one.path)):
        routes += 1
        try:
            ask(operation)
        except BaseExceptionGroup as error:
            failed.append(f"{operation.label}: {[str(one)[:900] for one in error.exceptions]}")
        except AssertionError as error:
            failed.append(f"{operation.label}: {str(error)[:900]}")
    assert not failed, "\n\n".join(failed)
    assert routes > 40
    assert answers[2] > 100, answers
    assert answers[4] > 100, answers
