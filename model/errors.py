"""The error that a user caused and can mend."""


class UserError(Exception):
    """Bad input: its text is one clear sentence for the person at the keyboard.

    Commands print it on stderr and exit with code 2; the window shows it as a message.
    """
