"""`python -m vlm_boundary.records` prints the JSON Schema of analysis.json."""

import json

from vlm_boundary.records.analysis import Analysis

print(json.dumps(Analysis.model_json_schema(), indent=1, ensure_ascii=False))
