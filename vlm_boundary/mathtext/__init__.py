"""One reader of mathematical text, for the verifier and the reasoning checker.

Tokens with places (`lexer`), a bounded parser to a typed tree (`parser`, `tree`), and two
evaluators of it: exact, and numeric to the digits shown (`evaluate`).
"""
