"""`python demo/app.py RUN…` is `vlm-boundary demo RUN…`."""

from vlm_boundary.cli.demo import demo

if __name__ == "__main__":
    demo()
