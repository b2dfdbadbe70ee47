"""What the rules of a contract came to, written beside each rule (kết quả chất lượng trong hợp đồng dữ liệu).

The Open Data Contract Standard 3.1 says which rules hold and not what they came to; the place it leaves for that are
custom properties, of the rule and of the contract. A contract stays valid by the official schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lienthong.oversight.overview import DatasetScore, RuleScore


def with_results(contract: Mapping[str, Any], score: DatasetScore) -> dict[str, Any]:
    """Return a contract with the six words, and with every rule's result beside it."""
    results = {rule.rule: rule for word in score.criteria for rule in word.rules}
    told = dict(contract)
    told["schema"] = [_with_rules(described, results) for described in contract["schema"]]
    told["customProperties"] = [
        *contract.get("customProperties", []),
        {"property": "qualityIndex", "value": score.total},
        {"property": "qualityMinimum", "value": score.minimum},
        {"property": "qualityMeasuredAt", "value": score.measured_at.isoformat()},
        {"property": "qualityRecords", "value": score.rows},
        {"property": "qualityRuleSet", "value": score.rule_set},
        {"property": "qualityScoring", "value": score.scoring},
        *(
            {
                "property": f"quality_{word.criterion}",
                "value": {
                    "percent": word.percent,
                    "known": word.known,
                    "passed": word.passed,
                    "applicable": word.applicable,
                    "restsOn": word.rests_on_vi,
                },
            }
            for word in score.criteria
        ),
    ]
    return told


def _with_rules(described: Mapping[str, Any], results: Mapping[str, RuleScore]) -> dict[str, Any]:
    told = dict(described)
    if "quality" in told:
        told["quality"] = [_with_result(rule, results.get(rule["name"])) for rule in told["quality"]]
    if "properties" in told:
        told["properties"] = [_with_rules(each, results) for each in told["properties"]]
    return told


def _with_result(rule: Mapping[str, Any], result: RuleScore | None) -> dict[str, Any]:
    if result is None:
        return dict(rule)
    return dict(rule) | {
        "customProperties": [
            *rule.get("customProperties", []),
            {"property": "resultState", "value": result.state},
            {"property": "passed", "value": result.passed},
            {"property": "failed", "value": result.failed},
            {"property": "notEvaluated", "value": result.not_evaluated},
            {"property": "notApplicable", "value": result.not_applicable},
            *([] if result.percent is None else [{"property": "percent", "value": result.percent}]),
            {"property": "ruleVersion", "value": result.version},
            {"property": "scored", "value": result.scored},
            *([] if result.measurement is None else [{"property": "measurement", "value": result.measurement}]),
            *(
                []
                if result.measured_at is None
                else [{"property": "measuredAt", "value": result.measured_at.isoformat()}]
            ),
        ]
    }
