"""Errors that belong to the person at the keyboard."""


class UserError(Exception):
    """A mistake its reader can mend: one line saying what, where and what would be valid.

    The command line prints the message without a traceback and exits with code 2.
    """
