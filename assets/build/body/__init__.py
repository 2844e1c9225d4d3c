"""Build the free body (`assets/body`) from MakeHuman's CC0 data: `python -m assets.build.body --output DIR`.

Axes everywhere: x to the body's left, y up, z to the front; metres.
"""
