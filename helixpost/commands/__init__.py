"""The commands: thin edges that read their options, open a transaction and print what the rooms say."""
