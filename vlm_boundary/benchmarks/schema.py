"""What a benchmark YAML can say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from vlm_boundary.benchmarks.images import ImagesConfig
from vlm_boundary.benchmarks.prompts import PROTOCOLS, PromptConfig, resolve_prompt
from vlm_boundary.benchmarks.templates import check_template, is_template
from vlm_boundary.config import Name, Pattern, Settings
from vlm_boundary.records.problem import AnswerType, Grading, LetterRule, NumericRule

# A list of none would be read as a data set without records.
_Several = Annotated[tuple[str, ...], Field(min_length=1)]


class FieldsConfig(Settings):
    """Where a record says what.

    A column's name (`a.b` reaches into nested records and lists of them), or a Jinja template over
    the columns, as in `"{{ question }} {{ context }}"`; the filter `as_list` reads a list that is
    stored as text, the filter `as_options` options that stand in one text, each after its letter
    ("A. one; B. two"), `as_record` a record that is stored as JSON text, and `option_count` counts
    the options that a question names ("Select from A, B, and C").
    Every record also has `_row` (its number, from 0), `_name` and `_split` (the configuration and
    the split that it is of), and `_key` where a .json file is a map from id to record.
    """

    question: str
    """The question's text."""
    answer: str
    """The gold answer."""
    problem_id: str | None = None
    """A unique id; without one, a hash of question, choices, answer and pictures."""
    image: str | tuple[str, ...] | None = None
    """The picture or a list of them; or several columns, of which empty ones are passed over."""
    answer_type: str | None = None
    """One of integer, float, text, list, expression."""
    unit: str | None = None
    """The answer's unit."""
    precision: str | None = None
    """The number of decimals of a float answer."""
    choices: str | tuple[str, ...] | None = None
    """The options of multiple-choice problems, a list or several columns; empty for the others."""
    alternatives: str | None = None
    """Further gold answers, each right by itself; a list."""
    tolerance: str | None = None
    """This problem's numeric tolerance, before `grading.tolerance`."""
    chance: str | None = None
    """This problem's chance floor, before `grading.chance`: a number from 0 to 1."""
    description: str | None = None
    """What the picture shows, in words, for the controls that put it in the picture's place or
    beside it; empty where a record has none."""
    language: str | None = None
    """The question's language, for the language filter."""
    metadata: tuple[str, ...] = ()
    """Columns to keep for slices."""

    @field_validator("*")
    @classmethod
    def _templates_compile(cls, value: Any) -> Any:
        for text in value if isinstance(value, tuple) else [value]:
            if isinstance(text, str) and is_template(text):
                check_template(text)
        return value


class OptionsConfig(Settings):
    """How options stand in a record, and who shows them to the model."""

    split: Pattern | None = None
    """Regular expression of what stands between options that are one text, as `\\|` in A|B|C."""
    prefix: Pattern | None = None
    """Regular expression of what each option begins with and is not part of it, as its letter."""
    shown: Literal["protocol", "question"] = "protocol"
    """By a named prompt protocol, behind the question; or by the question, which has them in its
    text or its picture."""


class MatchConfig(Settings):
    """A regular expression on a column or template."""

    field: str
    """The column, or a template over the columns."""
    pattern: Pattern
    """The regular expression, searched for anywhere in the value."""
    keep: bool = True
    """Keep what matches, or drop it."""

    @field_validator("field")
    @classmethod
    def _field_compiles(cls, field: str) -> str:
        return check_template(field) if is_template(field) else field


class GuessableConfig(Settings):
    """Problems that a model hits now and then without reasoning (Yue et al. 2025, Appendix D.2)."""

    run: str
    """Run directory with verified direct_answer samples of this benchmark."""
    arm: str
    """The arm that answered directly."""
    below: float = Field(default=0.05, gt=0.0, le=1.0)
    """Dropped when the share of right answers is above 0 and below this."""
    benchmark: str | None = None
    """The benchmark's name in that run, when another."""


class FilterConfig(Settings):
    """One step of the filter chain; exactly one key is given."""

    multiple_choice: Literal["drop", "keep"] | None = None
    """Drop the problems that have options, as the paper does, or keep only those."""
    answer_type: tuple[AnswerType, ...] | None = None
    """Keep these answer types."""
    keep: dict[str, tuple[Any, ...]] | None = None
    """Keep records with one of these values, by column."""
    drop: dict[str, tuple[Any, ...]] | None = None
    """Drop records with one of these values, by column."""
    match: MatchConfig | None = None
    """Keep or drop by regular expression."""
    language: tuple[str, ...] | None = None
    """Keep these values of fields.language, whatever their case."""
    missing_image: Literal["drop"] | None = None
    """Drop problems without a picture, and those whose picture file does not exist."""
    duplicates: Literal["drop"] | None = None
    """Keep the first of problems with the same question, choices, answer and picture bytes."""
    guessable: GuessableConfig | None = None
    """Drop problems that a direct_answer run shows to be guessable."""
    first: int | None = Field(default=None, ge=1)
    """Keep the first N problems."""
    ids: tuple[str, ...] | None = None
    """Keep these problem ids."""

    @field_validator("answer_type", "language", "ids", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        values = value if isinstance(value, list | tuple) else [value]
        return None if value is None else tuple(str(v) if isinstance(v, int) else v for v in values)

    @field_validator("keep", "drop", mode="before")
    @classmethod
    def _one_value_is_a_list(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: v if isinstance(v, list | tuple) else (v,) for k, v in value.items()}

    @model_validator(mode="after")
    def _one_step(self) -> FilterConfig:
        if len(self._given) != 1:
            raise ValueError("a filter step has exactly one key, as in '- multiple_choice: drop'")
        return self

    @property
    def _given(self) -> list[str]:
        # A manifest names the keys that were not given, too.
        return [name for name in sorted(self.model_fields_set) if getattr(self, name) is not None]

    @property
    def step(self) -> tuple[str, Any]:
        """The step's key and its value."""
        (key,) = self._given
        return key, getattr(self, key)


class GradingConfig(Settings):
    """How answers are compared; what is said here holds where a record says nothing itself."""

    answer_type: AnswerType | None = None
    """The answer type of records that name none."""
    numeric: NumericRule = "exact"
    """When two numbers are equal: exact, absolute or relative (within tolerance), or decimals
    (rounded)."""
    tolerance: float | None = Field(default=None, ge=0.0)
    """For absolute and relative: the largest difference, or its share of the gold answer."""
    decimals: int | None = Field(default=None, ge=0)
    """For decimals: how many; without it, the record's precision (else exact)."""
    letters: LetterRule | None = None
    """The gold answer is an option's letter (one), or several in any order (set)."""
    chance: Literal["choices"] | float | None = None
    """The chance floor: the probability that one blind guess is right, or `choices` for one in as
    many as there are options."""
    command: _Several | None = None
    """A grader of your own in place of the verifier: a program and its arguments, which reads and
    writes JSON lines; files among them are beside this file."""
    seconds: float = Field(default=10.0, gt=0.0, allow_inf_nan=False)
    """How long the program may take for one output; 30 more for its first."""
    memory_mib: int = Field(default=4096, ge=64)
    """How much memory each of the program's processes may take."""

    @model_validator(mode="after")
    def _the_program_decides(self) -> GradingConfig:
        rules = {
            "numeric": self.numeric != "exact",
            "tolerance": self.tolerance is not None,
            "decimals": self.decimals is not None,
            "letters": self.letters is not None,
        }
        given = [name for name, said in rules.items() if said]
        if self.command is not None and given:
            raise ValueError(f"grading.command's program decides: leave out grading.{given[0]}")
        return self

    @field_validator("chance")
    @classmethod
    def _a_probability(cls, chance: str | float | None) -> str | float | None:
        if isinstance(chance, float) and not 0 <= chance <= 1:
            raise ValueError("a probability between 0 and 1, or 'choices'")
        return chance


class ProceduralConfig(Settings):
    """Problems drawn by this package instead of read from files."""

    families: tuple[str, ...] = ()
    """Kinds of problem; none means all but `maze`, which is drawn where it is named."""
    count: int = Field(default=120, ge=1)
    """How many problems."""
    seed: int = Field(default=0, ge=0)
    """Which ones."""
    size: int = Field(default=84, ge=28, multiple_of=28)
    """Width and height of the pictures, in pixels."""


class BenchmarkConfig(Settings):
    """An image benchmark, as its YAML file says it."""

    name: Name
    """Name in tables and folders; by default the file's own."""
    description: str = ""
    """One line for listings and reports."""
    unverified: tuple[str, ...] = ()
    """What could not be checked against the real data set."""
    include: str | None = None
    """A shipped benchmark's name or a YAML file whose keys this one starts from."""
    dataset_path: str | None = None
    """Hub data set id; a local .jsonl, .json, .csv, .tsv (each also with .gz) or .parquet file; or
    a local folder: a data set in the hub's layout, one split that `save_to_disk` wrote, or
    pictures with a metadata.jsonl, .csv or .parquet."""
    dataset_name: str | _Several | None = None
    """Configuration of the data set, or several, read one after the other."""
    split: str | _Several | None = None
    """Split of the data set, or several; by default test."""
    revision: str | None = None
    """Branch, tag or commit of the hub data set."""
    data_files: str | _Several | dict[str, str | _Several] | None = None
    """Which files of the data set to read, as patterns, or by split."""
    format: Literal["vlmevalkit", "chat"] | None = None
    """vlmevalkit: the .tsv has base64 pictures, in which a short value names another row. chat:
    records are turns (conversations, messages or prompt), which become the columns `_question`,
    `_answer` and `_system`; `<image>` in them marks pictures, and there are as many."""
    image_root: str | None = None
    """Folder that picture paths are relative to and cannot leave, or a .zip or .tar with pictures
    under these paths; by default the data's folder."""
    procedural: ProceduralConfig | None = None
    """Draw the problems instead of reading a data set."""
    fields: FieldsConfig
    """Where a record says what."""
    options: OptionsConfig = OptionsConfig()
    """The options of multiple-choice problems."""
    filters: tuple[FilterConfig, ...] = ()
    """Steps that keep or drop problems, in order."""
    prompt: str | PromptConfig = "easyr1-paper"
    """A prompt protocol's name, or its templates."""
    images: ImagesConfig = ImagesConfig()
    """Pictures."""
    grading: GradingConfig = GradingConfig()
    """How answers are compared."""
    cluster: str | None = None
    """One of fields.metadata, the same for problems of one origin (versions, variants): they are
    drawn together in every interval."""
    family: str | None = None
    """One of fields.metadata, the same for problems of one kind: a misleading description is that
    of another problem of the same."""

    @field_validator("prompt")
    @classmethod
    def _prompt_exists(cls, prompt: str | PromptConfig) -> str | PromptConfig:
        if isinstance(prompt, str) and prompt not in PROTOCOLS:
            raise ValueError(f"no prompt protocol {prompt!r}; there are {', '.join(PROTOCOLS)}")
        return prompt

    @model_validator(mode="before")
    @classmethod
    def _chat_marks_its_pictures(cls, raw: Any) -> Any:
        images = raw.get("images") if isinstance(raw, dict) else None
        if isinstance(raw, dict) and raw.get("format") == "chat" and isinstance(images or {}, dict):
            return raw | {
                "images": {"placeholder": "<image>", "position": "in_text"} | (images or {})
            }
        return raw

    @model_validator(mode="after")
    def _one_source(self) -> BenchmarkConfig:
        if (self.dataset_path is None) == (self.procedural is None):
            raise ValueError("give either dataset_path or procedural")
        return self

    @model_validator(mode="after")
    def _grading_has_its_numbers(self) -> BenchmarkConfig:
        grading, fields = self.grading, self.fields
        within = grading.numeric in ("absolute", "relative")
        if within and grading.tolerance is None and fields.tolerance is None:
            raise ValueError(f"grading.numeric {grading.numeric} needs grading.tolerance")
        if not within and (grading.tolerance is not None or fields.tolerance is not None):
            raise ValueError("a tolerance needs grading.numeric absolute or relative")
        if grading.numeric == "decimals" and grading.decimals is None and fields.precision is None:
            raise ValueError(
                "grading.numeric decimals needs grading.decimals, or fields.precision for each "
                "record's own"
            )
        if grading.decimals is not None and grading.numeric != "decimals":
            raise ValueError("grading.decimals needs grading.numeric decimals")
        if grading.chance == "choices" and fields.choices is None:
            raise ValueError(
                "grading.chance choices needs fields.choices; where no column has the options, "
                "say a number, as in 'chance: 0.25'"
            )
        return self

    @model_validator(mode="after")
    def _what_needs_fields_has_them(self) -> BenchmarkConfig:
        fields = self.fields
        for key, named in (("cluster", self.cluster), ("family", self.family)):
            if named is not None and named not in fields.metadata:
                raise ValueError(f"{key} {named!r} must be one of fields.metadata")
        if self.options != OptionsConfig() and fields.choices is None:
            raise ValueError("options needs fields.choices")
        if self.images.missing_columns == "skip" and not isinstance(fields.image, tuple):
            raise ValueError("images.missing_columns skip needs several columns in fields.image")
        for step in self.filters:
            if step.language is not None and fields.language is None:
                raise ValueError("the language filter needs fields.language")
            if step.multiple_choice is not None and fields.choices is None:
                raise ValueError("the multiple_choice filter needs fields.choices")
        return self

    @field_validator("dataset_path")
    @classmethod
    def _not_a_loader(cls, path: str | None) -> str | None:
        if path in ("json", "csv", "parquet", "imagefolder", "text"):
            raise ValueError(
                f"name the file or folder itself, as in 'dataset_path: data/my.jsonl', not the "
                f"loader {path!r}"
            )
        return path

    @property
    def has_options(self) -> bool:
        """Whether problems with options are left by the filters, as far as the YAML says."""
        dropped = any(step.multiple_choice == "drop" for step in self.filters)
        return self.fields.choices is not None and not dropped

    def worded(self, protocol: str | None = None) -> PromptConfig:
        """The templates that put its problems: another protocol's by name, or its own.

        A named protocol shows the options where problems have some and the question does not.

        Raises:
            UserError: no protocol has that name.
        """
        return resolve_prompt(
            protocol or self.prompt,
            options=self.has_options and self.options.shown == "protocol",
        )

    def problem_grading(
        self,
        *,
        precision: int | None,
        choices: int,
        tolerance: float | None,
        chance: float | None,
        alternatives: tuple[str, ...],
    ) -> Grading:
        """The grading rule of one problem, from the benchmark's and what its record says."""
        rule = self.grading
        numeric, decimals = rule.numeric, rule.decimals
        if numeric == "decimals" and decimals is None:
            decimals = precision
            numeric = "exact" if decimals is None else "decimals"
        within = numeric in ("absolute", "relative")
        if chance is None and rule.chance == "choices":
            chance = 1 / choices if choices else None
        elif chance is None and rule.chance != "choices":
            chance = rule.chance
        return Grading(
            numeric=numeric,
            tolerance=(rule.tolerance if tolerance is None else tolerance) if within else None,
            decimals=decimals,
            letters=rule.letters,
            alternatives=alternatives,
            chance=chance,
        )
