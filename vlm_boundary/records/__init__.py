"""What rooms hand to each other: typed records, each defined once.

Names are imported from their modules: what a process holds by the thousand (problems, samples,
verdicts) are plain dataclasses and load at once, the rest needs pydantic.
"""
