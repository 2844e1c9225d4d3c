"""The network, the body and their training. Torch only: no Qt, nothing of `app`."""
