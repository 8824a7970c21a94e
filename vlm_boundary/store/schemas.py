"""Columns of the run directory's tables; the partition columns stand in the folder names."""

import pyarrow as pa

PROBLEMS = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("pictures", pa.list_(pa.string())),
        pa.field("answer_type", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("precision", pa.int32()),
        pa.field("choices", pa.list_(pa.string())),
        pa.field(
            "grading",
            pa.struct(
                [
                    pa.field("numeric", pa.string()),
                    pa.field("tolerance", pa.float64()),
                    pa.field("decimals", pa.int32()),
                    pa.field("letters", pa.string()),
                    pa.field("alternatives", pa.list_(pa.string())),
                    pa.field("chance", pa.float64()),
                ]
            ),
        ),
        pa.field("metadata", pa.string()),  # JSON
        pa.field("error", pa.string()),
        pa.field("description", pa.string()),
    ]
)

SAMPLES = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("sample_index", pa.int32(), nullable=False),
        pa.field("seed", pa.int64()),  # null where the engine cannot seed a sample
        pa.field("token_ids", pa.list_(pa.int32()), nullable=False),
        pa.field("tokens", pa.int32()),  # how many of them; null where they are not known
        pa.field("text", pa.string(), nullable=False),
        pa.field("finish_reason", pa.string(), nullable=False),
        pa.field("logprob_sum", pa.float64()),  # natural log, at temperature 1, end of turn counted
        pa.field("token_logprobs", pa.list_(pa.float32())),  # of the subset that keeps them
        pa.field("written_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("text_hash", pa.string()),  # as in verdicts; null where an older version wrote it
    ]
)

PREFIXES = pa.schema(  # of wrong samples, what answers are begun with under wrong_prefix
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("sample_index", pa.int32(), nullable=False),
        pa.field("prefix", pa.string(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),  # how its end was found
        pa.field("flag", pa.string()),  # the check that found it, where one did
        pa.field("text_hash", pa.string(), nullable=False),  # of the sample, as in verdicts
        pa.field("written_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)

SCORES = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("sample_index", pa.int32(), nullable=False),
        pa.field("logprob_sum", pa.float64(), nullable=False),  # as in samples
        pa.field("tokens", pa.int32(), nullable=False),  # that the sum is over
        pa.field("token_logprobs", pa.list_(pa.float32())),  # where they were asked for
        pa.field("written_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)

FAILURES = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("sample_index", pa.int32()),  # null when no sample of the problem can be drawn
        pa.field("reason", pa.string(), nullable=False),
        pa.field("written_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("under", pa.string()),  # of what fails again: a hash of what it follows from
    ]
)

VERDICTS = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("sample_index", pa.int32(), nullable=False),
        pa.field("correct", pa.bool_()),  # null: undecided
        pa.field("status", pa.string(), nullable=False),
        pa.field("extracted", pa.string()),  # as written
        pa.field("normalised", pa.string()),  # as read
        pa.field("span", pa.list_(pa.int32())),  # start and end in the text's characters
        pa.field("source", pa.string(), nullable=False),
        pa.field("flags", pa.list_(pa.string()), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("tolerance", pa.string()),
        pa.field("grader", pa.string(), nullable=False),
        pa.field("text_hash", pa.string(), nullable=False),
        pa.field("gold_hash", pa.string(), nullable=False),
    ]
)

OPINIONS = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("sample_index", pa.int32(), nullable=False),
        pa.field("mathvista", pa.bool_()),  # null: the rule has no answer
        pa.field("mathvision", pa.bool_()),
        pa.field("math_verify", pa.bool_()),
        # Of the verdict beside which they stand.
        pa.field("grader", pa.string(), nullable=False),
        pa.field("text_hash", pa.string(), nullable=False),
        pa.field("gold_hash", pa.string(), nullable=False),
    ]
)

VALIDITY = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("sample_index", pa.int32(), nullable=False),
        pa.field("valid", pa.bool_()),  # null: undecided answer, not judged, or abstained
        pa.field("flags", pa.list_(pa.string()), nullable=False),  # sorted, each once
        pa.field(
            "evidence",
            pa.list_(
                pa.struct(
                    [
                        pa.field("flag", pa.string(), nullable=False),
                        pa.field("start", pa.int32(), nullable=False),  # characters of the text
                        pa.field("end", pa.int32(), nullable=False),
                        pa.field("note", pa.string(), nullable=False),
                        pa.field("veto", pa.bool_(), nullable=False),  # false: a hint only
                    ]
                )
            ),
            nullable=False,
        ),
        pa.field("checker", pa.string(), nullable=False),  # name and version
        pa.field("text_hash", pa.string(), nullable=False),  # as in verdicts
        pa.field("basis_hash", pa.string(), nullable=False),  # all else it was decided by
        pa.field("votes", pa.list_(pa.bool_())),  # a judge's; a null among them abstained
    ]
)

STATEMENTS = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("sample_index", pa.int32(), nullable=False),
        # What is said to be seen, in the order of the text: whose value, each once, and the value.
        pa.field("names", pa.list_(pa.string()), nullable=False),
        pa.field("values", pa.list_(pa.string()), nullable=False),
        pa.field("steps", pa.list_(pa.string()), nullable=False),  # worked out: sorted, each once
        # seeing, reasoning, answer or none; null where the truth is not known
        pa.field("first_false", pa.string()),
        pa.field("place", pa.list_(pa.int32())),  # of what is false first: start and end
        pa.field("checker", pa.string(), nullable=False),  # name and version
        pa.field("text_hash", pa.string(), nullable=False),  # as in verdicts
        pa.field("basis_hash", pa.string(), nullable=False),  # all else it was read by
    ]
)

JUDGEMENTS = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("sample_index", pa.int32(), nullable=False),
        pa.field(
            "votes",
            pa.list_(
                pa.struct(
                    [
                        pa.field("valid", pa.bool_()),  # null: no verdict, or one cut off
                        pa.field("finish_reason", pa.string(), nullable=False),
                        pa.field("text", pa.string(), nullable=False),  # as generated
                    ]
                )
            ),
            nullable=False,
        ),
        pa.field("text_hash", pa.string(), nullable=False),  # of the sample, as in verdicts
        pa.field("edit", pa.string()),  # what was changed in the chain, where it was spoilt
        pa.field("written_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)

ADDED_LATER: tuple[tuple[pa.Schema, frozenset[str]], ...] = (
    (PROBLEMS, frozenset({"description"})),
    (SAMPLES, frozenset({"tokens", "token_logprobs", "text_hash"})),
    (FAILURES, frozenset({"under"})),
    (OPINIONS, frozenset({"grader", "gold_hash"})),
    (VALIDITY, frozenset({"votes"})),
)
"""The columns that parts of older versions do not have."""
