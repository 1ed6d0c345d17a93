"""The vocabulary that both halves share: configuration, golden set, records, storage."""
