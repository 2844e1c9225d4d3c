"""Qt widgets, one a file. Only this package draws."""

import os

# All of Qt's types at once. Made when first asked for, as is usual, they are not safe between threads: the
# import of pyqtgraph beside the running window has crashed it.
os.environ.setdefault("PYSIDE6_OPTION_LAZY", "0")
