"""`python -m vlm_boundary`."""

from vlm_boundary.cli import main

if __name__ == "__main__":
    main()
