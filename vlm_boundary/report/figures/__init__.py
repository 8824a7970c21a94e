"""What the report's figures show; `drawing` and `interactive` draw them."""
