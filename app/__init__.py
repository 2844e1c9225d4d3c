"""The application: window, commands, pipeline, exporters."""
