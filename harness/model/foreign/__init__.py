"""Golden prompts from the files of other tools, one module per format."""
