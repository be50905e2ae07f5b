"""Telegram, in and out: durable intake, conversations, newsletters in the chat."""
