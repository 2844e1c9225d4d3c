"""`python -m app` is `pointhmr`."""

import sys

from app.cli import main

sys.exit(main())
