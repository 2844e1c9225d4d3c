"""No test opens a real window or touches the settings of whoever runs it."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
